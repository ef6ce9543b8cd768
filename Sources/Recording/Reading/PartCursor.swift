// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Reads the whole lines of a part, a piece of the file at a time, so that whoever reads may stop or
/// wait in between and memory stays flat.
///
/// Unlike ``PartReader``, which looks for everything that can be saved, it takes damage for an error.
/// A last line without an end is no damage in an open part: it is being written, or a crash has
/// cut it.
final class PartCursor {
  /// The part.
  let part: RecordedPart

  private let file: any StorageFile
  private let isCompressed: Bool
  private var splitter = LineSplitter()
  private var members: MemberReader?
  private var offset = 0
  private var isAtEnd = false

  /// What is taken of a compressed file at a time: it may become twenty times as much.
  private static let pieceSize = (plain: 256 << 10, compressed: 32 << 10)

  /// Opens a part.
  ///
  /// - Parameters:
  ///   - part: The part; if it has been sealed since it was found, it is read as it is now.
  ///   - storage: The recording.
  /// - Throws: `StorageError`; `.missing` if it is gone.
  init(_ part: RecordedPart, of storage: any Storage) throws(StorageError) {
    self.part = part
    var codec = part.name.codec
    do throws(StorageError) {
      file = try storage.open(part.path)
    } catch  where error.code == .missing && codec == nil {
      (file, codec) = try Self.sealed(part.name, of: storage)
    }
    isCompressed = codec != nil
    if let codec { members = try MemberReader(codec, of: part.path) }
  }

  /// Opens a part that has been sealed since it was found.
  private static func sealed(
    _ part: PartName,
    of storage: any Storage
  ) throws(StorageError) -> (any StorageFile, PartCodec) {
    do throws(StorageError) {
      return (try storage.open(part.compressedPath(.zstd)), .zstd)
    } catch  where error.code == .missing {
      return (try storage.open(part.compressedPath(.gzip)), .gzip)
    }
  }

  /// How many bytes the file has.
  ///
  /// - Throws: `StorageError`.
  func byteCount() throws(StorageError) -> Int { try file.byteCount() }

  /// Reads the next piece of the file.
  ///
  /// - Parameter body: Called with each line that it completes.
  /// - Returns: Whether there may be more.
  /// - Throws: `StorageError`, `.damaged` for what cannot be read, or what `body` throws.
  func readOn(_ body: (Line) throws(StorageError) -> Void) throws(StorageError) -> Bool {
    guard !isAtEnd else { return false }
    let size = isCompressed ? Self.pieceSize.compressed : Self.pieceSize.plain
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
    defer { room.deallocate() }
    let count = try file.read(into: room, at: offset)
    offset += count
    guard count > 0 else {
      isAtEnd = true
      try checkEnd()
      return false
    }
    let piece = UnsafeRawBufferPointer(rebasing: room[..<count])
    guard isCompressed else {
      try splitter.feed(piece) { line throws(StorageError) in try hand(line, to: body) }
      return true
    }
    let damage = try members?.feed(piece) { found throws(StorageError) in
      guard case .bytes(let bytes) = found else { return }
      try splitter.feed(bytes) { line throws(StorageError) in try hand(line, to: body) }
    }
    if let damage { throw self.damage("the member at byte \(damage.offset): \(damage.reason)") }
    return true
  }

  /// Reads everything that is left.
  ///
  /// - Parameters:
  ///   - start: Where a line begins before which nothing is wanted, in bytes of lines. An open part
  ///     is read from there on; of a compressed one the lines before it may be given as well.
  ///   - body: Called with each line.
  /// - Throws: As ``readOn(_:)``.
  func readAll(
    from start: Int = 0,
    _ body: (Line) throws(StorageError) -> Void
  ) throws(StorageError) {
    if !isCompressed, start > 0 {
      offset = start
      splitter = LineSplitter(startingAt: start)
    }
    while try readOn(body) {}
  }

  /// An error that says which part is damaged, and what to do.
  func damage(_ reason: String) -> StorageError {
    StorageError(damaged: part.path, reason: reason)
  }

  private func hand(
    _ line: Line,
    to body: (Line) throws(StorageError) -> Void
  ) throws(StorageError) {
    guard !line.isTooLong else { throw damage("line \(line.number) is too long") }
    try body(line)
  }

  private func checkEnd() throws(StorageError) {
    guard isCompressed else { return }
    if let damage = members?.finish() {
      throw self.damage("the member at byte \(damage.offset): \(damage.reason)")
    }
    if splitter.hasRest { throw damage("its last line has no end") }
  }
}
