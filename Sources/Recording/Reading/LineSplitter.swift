// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// One line of a part, and where it stands.
struct Line {
  /// The line without its end.
  let bytes: UnsafeRawBufferPointer
  /// Its number in the part, from 1.
  let number: Int
  /// Where it begins in the part as it is when nothing is compressed.
  let offset: Int
  /// Whether a newline ends it; only the last line of a file may have none.
  var isComplete = true
  /// Whether it is longer than any line may be; then `bytes` is only its beginning.
  var isTooLong = false
}

/// Cuts what comes in pieces into lines.
///
/// A line that lies in one piece is not copied. The longest message has 16 MiB, which six times as
/// many bytes may stand for, so longer lines are skipped instead of kept in memory.
struct LineSplitter: ~Copyable {
  private let limit: Int
  private var rest: [UInt8] = []
  private var isSkipping = false
  private var number = 1
  private var lineStart = 0
  private var offset = 0

  /// No line that a recorder writes is longer.
  static let longestLine = 112 << 20

  /// Starts at the beginning of a part, or of a line.
  ///
  /// - Parameters:
  ///   - limit: The longest line that is kept whole.
  ///   - start: Where in the part that is; lines are numbered from there.
  init(limit: Int = Self.longestLine, startingAt start: Int = 0) {
    self.limit = limit
    lineStart = start
    offset = start
  }

  /// Where the line that is not complete yet begins.
  var endOfLines: Int { lineStart }

  /// Whether there is a beginning of a line that has not ended.
  var hasRest: Bool { offset > lineStart }

  /// Takes the next bytes.
  ///
  /// - Parameters:
  ///   - piece: The bytes.
  ///   - body: Called with each line that they complete.
  /// - Throws: What `body` throws.
  mutating func feed<Failure: Error>(
    _ piece: UnsafeRawBufferPointer,
    _ body: (Line) throws(Failure) -> Void
  ) throws(Failure) {
    guard let base = piece.baseAddress else { return }
    var start = 0
    while start < piece.count,
      let end = memchr(base + start, 0x0A, piece.count - start).map({
        $0 - UnsafeMutableRawPointer(mutating: base)
      })
    {
      let tail = UnsafeRawBufferPointer(rebasing: piece[start..<end])
      offset += tail.count + 1
      try complete(tail, body)
      lineStart = offset
      number += 1
      start = end + 1
    }
    offset += piece.count - start
    keep(UnsafeRawBufferPointer(rebasing: piece[start...]))
  }

  /// Says that nothing more comes.
  ///
  /// - Parameter body: Called with what has no end.
  /// - Throws: What `body` throws.
  mutating func finish<Failure: Error>(_ body: (Line) throws(Failure) -> Void) throws(Failure) {
    guard hasRest else { return }
    let (number, start, long) = (number, lineStart, isSkipping)
    try rest.withUnsafeBufferPointer { bytes throws(Failure) in
      let bytes = UnsafeRawBufferPointer(bytes)
      try body(
        Line(bytes: bytes, number: number, offset: start, isComplete: false, isTooLong: long)
      )
    }
    rest.removeAll(keepingCapacity: true)
    lineStart = offset
    self.number += 1
    isSkipping = false
  }

  private mutating func complete<Failure: Error>(
    _ tail: UnsafeRawBufferPointer,
    _ body: (Line) throws(Failure) -> Void
  ) throws(Failure) {
    guard !rest.isEmpty || isSkipping else {
      try body(
        Line(bytes: tail, number: number, offset: lineStart, isTooLong: tail.count > limit)
      )
      return
    }
    keep(tail)
    let (number, start, long) = (number, lineStart, isSkipping)
    try rest.withUnsafeBufferPointer { bytes throws(Failure) in
      let bytes = UnsafeRawBufferPointer(bytes)
      try body(Line(bytes: bytes, number: number, offset: start, isTooLong: long))
    }
    rest.removeAll(keepingCapacity: rest.count < 1 << 20)
    isSkipping = false
  }

  private mutating func keep(_ bytes: UnsafeRawBufferPointer) {
    guard !isSkipping else { return }
    rest.append(contentsOf: bytes.prefix(limit - rest.count + 1))
    isSkipping = rest.count > limit
  }
}
