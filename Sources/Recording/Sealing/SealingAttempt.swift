// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto

/// One attempt at sealing a part: reads its lines, writes them as members, and keeps account.
final class SealingAttempt {
  private let part: PartName
  private let input: any StorageFile
  private let output: (file: any StorageFile, codec: PartCodec)?
  private var splitter = LineSplitter()
  private var offset = 0
  private var digest: Digest?

  // The lines that the next member will have.
  private var memberLines = LineBuffer(capacity: 64 << 10)
  private var memberCount = 0
  private var memberSeq: ClosedRange<UInt64>?

  /// How many lines there were.
  private(set) var lines = 0
  /// The lowest and the highest `seq`.
  private(set) var seq: ClosedRange<UInt64>?
  /// The earliest and the latest `ts_recv`.
  private(set) var time: ClosedRange<Int64>?
  /// How many bytes the sealed file has.
  private(set) var bytes = 0

  /// A member ends with this many lines or bytes, whichever comes first.
  private static let maximumLines = 1_000
  private static let maximumBytes = 2 << 20

  /// Begins.
  ///
  /// - Parameters:
  ///   - part: The part.
  ///   - input: Its plain file.
  ///   - output: Where the members go, and what they are; nil if the part stays as it is.
  /// - Throws: `StorageError`.
  init(
    of part: PartName,
    input: any StorageFile,
    output: (file: any StorageFile, codec: PartCodec)?
  ) throws(StorageError) {
    self.part = part
    self.input = input
    self.output = output
    do {
      digest = try Digest(.sha256)
    } catch {
      throw StorageError("hash", part.plainPath, reason: error.description)
    }
  }

  /// Works on the next piece of the plain file.
  ///
  /// - Returns: Whether there was one.
  /// - Throws: `StorageError`.
  func readOn() throws(StorageError) -> Bool {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    defer { room.deallocate() }
    let count = try input.read(into: room, at: offset)
    offset += count
    let piece = UnsafeRawBufferPointer(rebasing: room[..<count])
    if output == nil { try add(piece) }
    guard count > 0 else {
      try finishLines()
      return false
    }
    // The splitter is taken out, because its lines come back to this object.
    var splitter = LineSplitter()
    swap(&splitter, &self.splitter)
    defer { swap(&splitter, &self.splitter) }
    try splitter.feed(piece) { line throws(StorageError) in try take(line) }
    return true
  }

  private func finishLines() throws(StorageError) {
    var splitter = LineSplitter()
    swap(&splitter, &self.splitter)
    try splitter.finish { line throws(StorageError) in try take(line) }
    try closeMember()
  }

  /// Ends the file, and syncs it.
  ///
  /// - Returns: The SHA-256 of the sealed file, in hexadecimal.
  /// - Throws: `StorageError`.
  func finish() throws(StorageError) -> String {
    try output?.file.synchronize()
    guard let digest = digest.take() else { return "" }
    do {
      return Hexadecimal.encode(try digest.finish())
    } catch {
      throw StorageError("hash", part.plainPath, reason: error.description)
    }
  }

  private func take(_ line: Line) throws(StorageError) {
    lines += 1
    let head = LineHead(line.bytes, of: part.run)
    if let head {
      seq = LineSheet.extended(seq, to: head.seq)
      time = LineSheet.extended(time, to: head.realtime)
    }
    guard output != nil else { return }
    memberLines.append(contentsOf: line.bytes)
    memberLines.append(UInt8(ascii: "\n"))
    memberCount += 1
    if let head { memberSeq = LineSheet.extended(memberSeq, to: head.seq) }
    if memberCount >= Self.maximumLines || memberLines.count >= Self.maximumBytes {
      try closeMember()
    }
  }

  private func closeMember() throws(StorageError) {
    guard let output, memberCount > 0 else { return }
    var member: [UInt8] = []
    try memberLines.withBytes { lines throws(StorageError) in
      try output.codec.append(lines, count: memberCount, seq: memberSeq ?? 0...0, to: &member)
    }
    try member.withUnsafeBufferPointer { bytes throws(StorageError) in
      try output.file.writeAll(UnsafeRawBufferPointer(bytes))
      try add(UnsafeRawBufferPointer(bytes))
    }
    memberLines.removeAll()
    memberCount = 0
    memberSeq = nil
  }

  /// Counts bytes of the sealed file.
  private func add(_ piece: UnsafeRawBufferPointer) throws(StorageError) {
    bytes += piece.count
    do throws(CryptoError) {
      try digest?.update(piece)
    } catch {
      throw StorageError("hash", part.plainPath, reason: error.description)
    }
  }
}
