// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The value of an OAuth `Authorization` header, written and read.
package enum AuthorizationHeader {
  /// Writes the header in the order of IBind: the realm, then the parameters by name.
  ///
  /// - Parameters:
  ///   - realm: `limited_poa`, or `test_realm`; it takes no part in the signature.
  ///   - parameters: The signed parameters whose names begin with `oauth_` or `diffie_`; those of
  ///     a query stay in the query.
  ///   - signature: The signature in base64, encoded here.
  /// - Returns: The header's value, which holds the access token.
  package static func value(
    realm: String,
    parameters: [OAuthParameter],
    signature: String
  ) -> String {
    let signature = OAuthParameter("oauth_signature", PercentEncoding.quotePlus(signature))
    let own = parameters.filter { isOwn($0.name) } + [signature]
    let list = own.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
      .map { "\($0.name)=\"\($0.value)\"" }
    return "OAuth realm=\"\(realm)\", " + list.joined(separator: ", ")
  }

  /// Reads a header.
  ///
  /// - Parameter value: The header's value, in any order of the parameters.
  /// - Returns: The parameters, the realm and the raw (still encoded) signature among them.
  /// - Throws: `malformedHeader`, also for a name that stands twice.
  package static func parameters(of value: String) throws(OAuth1aError) -> [String: String] {
    guard value.hasPrefix("OAuth ") else {
      throw OAuth1aError(.malformedHeader, "the Authorization header does not begin with OAuth")
    }
    var parameters: [String: String] = [:]
    for item in value.dropFirst(6).split(separator: ",", omittingEmptySubsequences: false) {
      let sides = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = sides[0].drop { $0 == " " }
      guard
        sides.count == 2, sides[1].utf8.count >= 2, sides[1].hasPrefix("\""),
        sides[1].hasSuffix("\""), !name.isEmpty
      else {
        throw OAuth1aError(.malformedHeader, "the Authorization header is not a list of pairs")
      }
      let value = String(sides[1].dropFirst().dropLast())
      guard parameters.updateValue(value, forKey: String(name)) == nil else {
        throw OAuth1aError(.malformedHeader, "the Authorization header names \(name) twice")
      }
    }
    return parameters
  }

  private static func isOwn(_ name: String) -> Bool {
    name.hasPrefix("oauth_") || name.hasPrefix("diffie_hellman_")
  }
}
