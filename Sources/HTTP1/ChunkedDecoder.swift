// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Undoes the chunked transfer coding (RFC 9112 §7.1), in pieces of any size.
struct ChunkedDecoder: Sendable {
  private enum State {
    case size
    case data(remaining: Int)
    case dataEnd
    case trailers
    case complete
  }

  /// The fields after the last chunk.
  private(set) var trailers = HTTPFields()

  private var state = State.size
  // Size lines and trailers share what a head may have: with extensions on every chunk a peer
  // could otherwise send without end and never fill the body.
  private var lines: HeadLines
  private var room: Int
  private let fieldLimit: Int

  init(limits: HTTPLimits) {
    lines = HeadLines(limit: limits.headBytes)
    room = limits.bodyBytes
    fieldLimit = limits.fieldCount
  }

  var isComplete: Bool {
    if case .complete = state { true } else { false }
  }

  /// Takes bytes up to the end of the body.
  ///
  /// - Parameters:
  ///   - bytes: What came.
  ///   - output: Where the chunks' data is appended.
  /// - Returns: How many bytes belong to the body.
  /// - Throws: `invalidChunk`, `bodyTooLarge`, `trailersTooLarge` or what a field line can have.
  mutating func decode(
    _ bytes: Span<UInt8>,
    into output: inout [UInt8]
  ) throws(HTTPError) -> Int {
    var index = 0
    while true {
      switch state {
      case .size:
        guard try readLine(bytes, &index, tooLarge: .invalidChunk) else { return index }
        let size = try Self.size(lines.line)
        guard size <= room else { throw HTTPError(.bodyTooLarge) }
        room -= size
        lines.forgiveLine(upTo: Self.plainSizeLine)
        state = size == 0 ? .trailers : .data(remaining: size)
      case .data(let remaining):
        let count = min(remaining, bytes.count - index)
        guard count > 0 else { return index }
        output.append(contentsOf: bytes.extracting(index..<(index + count)))
        index += count
        state = count == remaining ? .dataEnd : .data(remaining: remaining - count)
      case .dataEnd:
        guard try readLine(bytes, &index, tooLarge: .invalidChunk) else { return index }
        guard lines.line.isEmpty else { throw HTTPError(.invalidChunk, "longer than declared") }
        lines.forgiveLine(upTo: Self.plainSizeLine)
        state = .size
      case .trailers:
        guard try readLine(bytes, &index, tooLarge: .trailersTooLarge) else { return index }
        if lines.line.isEmpty {
          state = .complete
          return index
        }
        guard trailers.count < fieldLimit else { throw HTTPError(.trailersTooLarge) }
        trailers.append(unchecked: try HTTPFields.Field(line: lines.line))
      case .complete:
        return index
      }
    }
  }

  /// A size of 16 digits with its CR LF: what an honest chunk needs beside its data, and so what
  /// does not count against the limit.
  private static let plainSizeLine = 18

  private mutating func readLine(
    _ bytes: Span<UInt8>,
    _ index: inout Int,
    tooLarge: HTTPError.Code
  ) throws(HTTPError) -> Bool {
    do {
      return try lines.read(from: bytes, at: &index)
    } catch  where error.code == .headTooLarge {
      throw HTTPError(tooLarge, error.detail)
    }
  }

  /// `chunk-size [chunk-ext]`: the extension is of no meaning to us and bounded by the limit.
  private static func size(_ line: [UInt8]) throws(HTTPError) -> Int {
    let digits = line.prefix { $0.hexadecimalValue != nil }
    let rest = line[digits.endIndex...].drop(while: \.isOptionalWhitespace)
    guard !digits.isEmpty, rest.isEmpty || rest.first == UInt8(ascii: ";") else {
      throw HTTPError(.invalidChunk, "no size")
    }
    guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16) else {
      throw HTTPError(.bodyTooLarge)
    }
    return size
  }
}
