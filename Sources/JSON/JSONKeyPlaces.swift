// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Where the keys of a text stand, for a person who has to find one of them.
package enum JSONKeyPlaces {
  /// Finds the line of every key.
  ///
  /// - Parameter bytes: The text.
  /// - Returns: The keys from the outermost to the one in question, and its line, from 1; objects
  ///   in arrays count as if they stood in the array's place.
  /// - Throws: The first rule of RFC 8259 that is broken.
  package static func lines(
    in bytes: [UInt8]
  ) throws(JSONError) -> [(path: [String], line: Int)] {
    try bytes.span.withUnsafeBytes { bytes throws(JSONError) in
      let finder = Finder(start: bytes.baseAddress, bytes: bytes)
      return try JSONGrammar.read(
        bytes,
        depthLimit: JSONValidator.defaultDepthLimit,
        handler: finder
      ).found
    }
  }

  /// The line of a byte, from 1.
  package static func line(of offset: Int, in bytes: [UInt8]) -> Int {
    1 + bytes.prefix(offset).count { $0 == UInt8(ascii: "\n") }
  }

  private struct Finder: JSONHandler {
    let start: UnsafeRawPointer?
    let bytes: UnsafeRawBufferPointer
    var found: [(path: [String], line: Int)] = []
    private var path: [String?] = []
    private var key: String?
    private var counted = 0
    private var line = 1

    init(start: UnsafeRawPointer?, bytes: UnsafeRawBufferPointer) {
      self.start = start
      self.bytes = bytes
    }

    mutating func begin(_ kind: JSONKind) {
      path.append(key)
      key = nil
    }

    mutating func end(_ kind: JSONKind) {
      if !path.isEmpty { path.removeLast() }
      key = nil
    }

    mutating func key(_ content: UnsafeRawBufferPointer, hasEscapes: Bool) {
      let text =
        hasEscapes ? JSONString.text(content) ?? "" : String(decoding: content, as: UTF8.self)
      if let start, let place = content.baseAddress {
        let offset = place - start
        line += bytes[counted..<max(counted, offset)].count { $0 == UInt8(ascii: "\n") }
        counted = max(counted, offset)
      }
      key = text
      found.append((path.compactMap(\.self) + [text], line))
    }

    mutating func scalar(
      _ kind: JSONKind,
      _ content: UnsafeRawBufferPointer,
      hasEscapes: Bool
    ) {}
  }
}
