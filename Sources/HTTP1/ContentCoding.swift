// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How a body's content is compressed (RFC 9110 §8.4).
package enum ContentCoding: Sendable, Hashable {
  case identity, gzip, deflate

  /// What a request says that it can take.
  package static let accepted = "gzip, deflate"
}

extension HTTPFields {
  /// The coding that Content-Encoding names.
  ///
  /// - Returns: The coding; ``ContentCoding/identity`` if none is named.
  /// - Throws: `unsupportedContentCoding` for one that was not asked for, or more than one.
  package func contentCoding() throws(HTTPError) -> ContentCoding {
    let names = listMembers(of: "Content-Encoding").map(\.asciiLowercased)
      .filter { $0 != "identity" }
    switch names {
    case []: return .identity
    case ["gzip"], ["x-gzip"]: return .gzip
    case ["deflate"]: return .deflate
    default: throw HTTPError(.unsupportedContentCoding)
    }
  }
}
