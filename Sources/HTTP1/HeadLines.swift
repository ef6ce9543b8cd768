// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Cuts a head into lines, whatever pieces it comes in.
///
/// Each byte is looked at once, however slowly a head trickles in: re-scanning from the start at
/// every read lets a peer spend our time quadratically (CVE-2023-43669). Only CR LF ends a line,
/// and no control character but the tab may stand in one: what one reader takes for a line end
/// and the next does not is how requests are smuggled (RFC 9112 §2.2, §11.2).
struct HeadLines: Sendable {
  /// The bytes of the line that is being read; the whole line, without its end, once
  /// ``read(from:at:)`` has returned true.
  private(set) var line: [UInt8] = []

  private var isComplete = false
  private var sawCarriageReturn = false
  private var total = 0
  private let limit: Int

  /// - Parameter limit: How many bytes all lines together may have.
  init(limit: Int) { self.limit = limit }

  /// Whether no byte of the head has come yet.
  var isUntouched: Bool { total == 0 }

  /// Takes bytes up to the end of the current line.
  ///
  /// - Parameters:
  ///   - bytes: What came.
  ///   - index: The first byte not taken yet; moved on.
  /// - Returns: Whether ``line`` is complete; if not, all bytes are taken.
  /// - Throws: `headTooLarge`, `bareLineEnding` or `controlCharacter`.
  mutating func read(from bytes: Span<UInt8>, at index: inout Int) throws(HTTPError) -> Bool {
    if isComplete {
      line.removeAll(keepingCapacity: true)
      isComplete = false
    }
    while index < bytes.count {
      let byte = bytes[index]
      guard total < limit else { throw HTTPError(.headTooLarge, "more than \(limit) bytes") }
      total += 1
      index += 1
      if sawCarriageReturn {
        guard byte == .lineFeed else { throw HTTPError(.bareLineEnding, "CR alone") }
        sawCarriageReturn = false
        isComplete = true
        return true
      }
      switch byte {
      case .carriageReturn: sawCarriageReturn = true
      case .lineFeed: throw HTTPError(.bareLineEnding, "LF alone")
      case _ where byte.isFieldValueCharacter: line.append(byte)
      default: throw HTTPError(.controlCharacter, byte.hexadecimalName)
      }
    }
    return false
  }
}

extension HeadLines {
  /// Takes the line that was just read out of the count, as far as its size is honest.
  ///
  /// - Parameter bytes: How many bytes of the line, its end included, do not count.
  mutating func forgiveLine(upTo bytes: Int) { total -= min(line.count + 2, bytes) }
}

extension HTTPFields.Field {
  /// Reads one header line (RFC 9112 §5).
  ///
  /// A value that is not UTF-8 is read as ISO 8859-1, which it was meant as when it was written.
  ///
  /// - Parameter line: The line without its end; its control characters were refused before.
  /// - Throws: `foldedField` for a line that continues the one before it (obsolete, RFC 9112
  ///   §5.2), `invalidFieldName` for anything but a token up to the colon, white space included.
  init(line: [UInt8]) throws(HTTPError) {
    if let first = line.first, first.isOptionalWhitespace { throw HTTPError(.foldedField) }
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
      throw HTTPError(.invalidFieldName, "a line without a colon")
    }
    let name = line[..<colon]
    guard !name.isEmpty, name.allSatisfy(\.isTokenCharacter) else {
      throw HTTPError(.invalidFieldName)
    }
    let value = line[(colon + 1)...].trimmingOptionalWhitespace()
    self.init(
      name: String(decoding: name, as: UTF8.self),
      value: String(validating: value, as: UTF8.self) ?? String(latin1: value)
    )
  }
}

extension String {
  /// Text in which each byte is the character of that number (ISO 8859-1).
  init(latin1 bytes: some Sequence<UInt8>) {
    self.init(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
  }
}
