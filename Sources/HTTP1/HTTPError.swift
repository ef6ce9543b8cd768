// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What is wrong with an HTTP/1.1 message, a URL or a header that was to be sent.
///
/// The text says what and where. It never holds a value: a header's value may be a token or a
/// cookie, a URL's query too.
package struct HTTPError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Which rule was broken.
  package let code: Code

  /// Where, if the rule alone does not tell.
  package let detail: String?

  package init(_ code: Code, _ detail: String? = nil) {
    self.code = code
    self.detail = detail
  }

  package var description: String {
    guard let detail else { return code.explanation }
    return "\(code.explanation) (\(detail))"
  }
}

extension HTTPError {
  /// The ways in which HTTP can be broken, one for each.
  package struct Code: Sendable, Hashable, CustomStringConvertible {
    private let value: Value

    /// The code's own name, for logs and tests.
    package var description: String { value.rawValue }

    fileprivate var explanation: String { value.explanation }
  }
}

extension HTTPError.Code {
  // Heads.
  package static let notHTTP = Self(value: .notHTTP)
  package static let unsupportedVersion = Self(value: .unsupportedVersion)
  package static let malformedStartLine = Self(value: .malformedStartLine)
  package static let headTooLarge = Self(value: .headTooLarge)
  package static let tooManyFields = Self(value: .tooManyFields)
  package static let bareLineEnding = Self(value: .bareLineEnding)
  package static let controlCharacter = Self(value: .controlCharacter)
  package static let foldedField = Self(value: .foldedField)
  package static let invalidFieldName = Self(value: .invalidFieldName)
  package static let invalidFieldValue = Self(value: .invalidFieldValue)
  package static let duplicateField = Self(value: .duplicateField)
  package static let missingHost = Self(value: .missingHost)
  package static let tooManyInterimResponses = Self(value: .tooManyInterimResponses)
  package static let truncatedHead = Self(value: .truncatedHead)
  // Bodies.
  package static let invalidContentLength = Self(value: .invalidContentLength)
  package static let ambiguousLength = Self(value: .ambiguousLength)
  package static let unsupportedTransferCoding = Self(value: .unsupportedTransferCoding)
  package static let bodyTooLarge = Self(value: .bodyTooLarge)
  package static let invalidChunk = Self(value: .invalidChunk)
  package static let trailersTooLarge = Self(value: .trailersTooLarge)
  package static let truncatedBody = Self(value: .truncatedBody)
  package static let unsupportedContentCoding = Self(value: .unsupportedContentCoding)
  package static let corruptContent = Self(value: .corruptContent)
  // Requests of our own.
  package static let invalidMethod = Self(value: .invalidMethod)
  package static let invalidTarget = Self(value: .invalidTarget)
  // URLs.
  package static let malformedURL = Self(value: .malformedURL)
  package static let unsupportedScheme = Self(value: .unsupportedScheme)
  package static let userInformationInURL = Self(value: .userInformationInURL)
  package static let invalidHost = Self(value: .invalidHost)
  package static let invalidPort = Self(value: .invalidPort)
  package static let invalidURLCharacter = Self(value: .invalidURLCharacter)
  package static let fragmentInURL = Self(value: .fragmentInURL)

  private enum Value: String, Sendable {
    case notHTTP, unsupportedVersion, malformedStartLine, headTooLarge, tooManyFields
    case bareLineEnding, controlCharacter, foldedField, invalidFieldName, invalidFieldValue
    case duplicateField, missingHost, tooManyInterimResponses, truncatedHead
    case invalidContentLength, ambiguousLength, unsupportedTransferCoding, bodyTooLarge
    case invalidChunk, trailersTooLarge, truncatedBody, unsupportedContentCoding, corruptContent
    case invalidMethod, invalidTarget
    case malformedURL, unsupportedScheme, userInformationInURL, invalidHost, invalidPort
    case invalidURLCharacter, fragmentInURL

    var explanation: String {
      switch self {
      case .notHTTP: "the peer does not speak HTTP/1; check host, port and scheme"
      case .unsupportedVersion: "the peer's HTTP version is not supported"
      case .malformedStartLine: "the first line of the HTTP head is malformed"
      case .headTooLarge: "the HTTP head is larger than allowed"
      case .tooManyFields: "the HTTP head has more fields than allowed"
      case .bareLineEnding: "a line of the HTTP head does not end in CR LF"
      case .controlCharacter: "the HTTP head holds a control character"
      case .foldedField: "the HTTP head holds a folded line"
      case .invalidFieldName: "a header's name is not a token"
      case .invalidFieldValue: "a header's value holds a character that is not allowed"
      case .duplicateField: "a header that may stand once stands more than once"
      case .missingHost: "the request does not name exactly one host"
      case .tooManyInterimResponses: "the server sends interim responses without end"
      case .truncatedHead: "the connection ended inside the HTTP head"
      case .invalidContentLength: "Content-Length is not a number, or too large"
      case .ambiguousLength: "Content-Length and Transfer-Encoding contradict each other"
      case .unsupportedTransferCoding: "the transfer coding is not supported"
      case .bodyTooLarge: "the HTTP body is larger than allowed"
      case .invalidChunk: "a chunk of the HTTP body is malformed"
      case .trailersTooLarge: "the HTTP trailers are larger than allowed"
      case .truncatedBody: "the connection ended inside the HTTP body"
      case .unsupportedContentCoding: "the content coding is not supported"
      case .corruptContent: "the compressed HTTP body is corrupt"
      case .invalidMethod: "the HTTP method is not a token"
      case .invalidTarget: "the request target holds a character that must be percent-encoded"
      case .malformedURL: "the URL is malformed; it must read scheme://host[:port][/path]"
      case .unsupportedScheme: "the URL's scheme is not supported; use http, https, ws or wss"
      case .userInformationInURL: "a URL with a user name or password is not accepted"
      case .invalidHost: "the URL's host is not a name or an address"
      case .invalidPort: "the URL's port is not a number from 1 to 65535"
      case .invalidURLCharacter: "the URL holds a character that must be percent-encoded"
      case .fragmentInURL: "a URL with a fragment is not accepted; leave out what follows #"
      }
    }
  }
}
