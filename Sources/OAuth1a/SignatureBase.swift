// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What is signed: method, URL and parameters as one text (protocol reference, section 2.4).
package struct SignatureBase: Sendable {
  /// The parameters, sorted by name in byte order.
  package let parameters: [OAuthParameter]
  private let method: String
  private let url: String
  private let prepend: String

  /// Puts together what a request is signed over.
  ///
  /// - Parameters:
  ///   - method: The HTTP method in capitals.
  ///   - url: The URL without its query.
  ///   - parameters: OAuth's own parameters, and those of the query where they are signed.
  ///   - prepend: The decrypted access token secret in hexadecimal; for the live session token's
  ///     request only.
  package init(
    method: String,
    url: String,
    parameters: [OAuthParameter],
    prepend: String = ""
  ) {
    self.method = method
    self.url = url
    self.prepend = prepend
    self.parameters = parameters.sorted { first, second in
      // Byte by byte: to `==`, "é" of one and of two scalars are the same text.
      first.name.utf8.elementsEqual(second.name.utf8)
        ? first.value.utf8.lexicographicallyPrecedes(second.value.utf8)
        : first.name.utf8.lexicographicallyPrecedes(second.name.utf8)
    }
  }

  /// The sorted pairs, raw: unlike RFC 5849 section 3.4.1.3.2 wants it, IBKR does not encode each
  /// name and value first.
  package var parameterString: String {
    parameters.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
  }

  /// The text that the signature covers; a secret where it begins with the prepend.
  package var text: String {
    "\(prepend)\(method)&\(PercentEncoding.quotePlus(url))"
      + "&\(PercentEncoding.quotePlus(parameterString))"
  }
}

/// A name and a value of OAuth's `Authorization` header or of a query.
package struct OAuthParameter: Sendable, Hashable {
  /// The name, as `oauth_nonce`.
  package let name: String
  /// The raw value.
  package let value: String

  /// Makes a parameter.
  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

// Values are tokens as often as not.
extension SignatureBase: CustomStringConvertible, CustomReflectable {
  package var description: String { "\(method) with \(parameters.count) parameters" }
  package var customMirror: Mirror { Mirror(self, children: ["method": method]) }
}

extension OAuthParameter: CustomStringConvertible, CustomReflectable {
  package var description: String { name }
  package var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}
