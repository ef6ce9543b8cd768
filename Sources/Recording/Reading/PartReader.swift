// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Reads the lines of a part, be it plain or compressed.
///
/// A damaged member ends the reading of its own lines only: the next member is found by its
/// signature.
struct PartReader {
  /// What was found besides the lines.
  struct Report {
    /// How many bytes of whole lines there are when nothing is compressed.
    var lineBytes = 0
    /// The damaged members, if the part is compressed.
    var damages: [GzipReader.Damage] = []
    /// Members whose own account is wrong: where they begin, and what they say.
    var liars: [GzipReader.Damage] = []
  }

  private let path: String
  private let storage: any Storage
  private let lineLimit: Int
  private let trustsMembers: Bool

  /// Names a part; nothing is opened yet.
  ///
  /// - Parameters:
  ///   - path: The part.
  ///   - storage: The recording.
  ///   - lineLimit: The longest line that is given whole.
  ///   - trustsMembers: Whether the lines of a member are given before its checksum has been compared.
  ///     Otherwise there are none of a damaged member: what is left of it reads well, and may still
  ///     have another digit than was recorded.
  init(
    _ path: String,
    storage: any Storage,
    lineLimit: Int = LineSplitter.longestLine,
    trustsMembers: Bool = true
  ) {
    self.path = path
    self.storage = storage
    self.lineLimit = lineLimit
    self.trustsMembers = trustsMembers
  }

  /// Works through all lines.
  ///
  /// - Parameters:
  ///   - piece: Called with each piece of the file as it is on the disk, for a digest.
  ///   - body: Called with each line, in their order.
  /// - Returns: What else was found.
  /// - Throws: `StorageError`, its own or that of `body`.
  func forEachLine(
    piece: (UnsafeRawBufferPointer) throws(StorageError) -> Void = { _ in },
    _ body: (Line) throws(StorageError) -> Void
  ) throws(StorageError) -> Report {
    let file = try storage.open(path)
    guard let codec = PartCodec.allCases.first(where: { path.hasSuffix(".\($0.rawValue)") }) else {
      return try readPlain(file, piece, body)
    }
    return try readMembers(of: file, codec, piece, body)
  }

  private func readPlain(
    _ file: any StorageFile,
    _ piece: (UnsafeRawBufferPointer) throws(StorageError) -> Void,
    _ body: (Line) throws(StorageError) -> Void
  ) throws(StorageError) -> Report {
    var splitter = LineSplitter(limit: lineLimit)
    try file.forEachChunk { chunk throws(StorageError) in
      try piece(chunk)
      try splitter.feed(chunk, body)
      return true
    }
    let report = Report(lineBytes: splitter.endOfLines)
    try splitter.finish(body)
    return report
  }

  private func readMembers(
    of file: any StorageFile,
    _ codec: PartCodec,
    _ piece: (UnsafeRawBufferPointer) throws(StorageError) -> Void,
    _ body: (Line) throws(StorageError) -> Void
  ) throws(StorageError) -> Report {
    var report = Report()
    var splitter = LineSplitter(limit: lineLimit)
    var start = 0
    // The digest is of the file from its start to its end, whatever the members are like.
    var pieced = 0
    while true {
      var reader = try MemberReader(codec, of: path, at: start)
      var damage: GzipReader.Damage?
      var member = Member(isHeld: !trustsMembers)
      var offset = start
      try file.forEachChunk(from: start) { chunk throws(StorageError) in
        offset += chunk.count
        if offset > pieced {
          try piece(UnsafeRawBufferPointer(rebasing: chunk.suffix(offset - pieced)))
          pieced = offset
        }
        guard damage == nil else { return true }
        damage = try reader.feed(chunk) { found throws(StorageError) in
          try member.take(found, &splitter, &report, body)
        }
        return true
      }
      guard let found = damage ?? reader.finish() else { break }
      report.damages.append(found)
      // What has no end was cut off by the damage.
      try splitter.finish(body)
      guard let next = try Self.nextMember(in: file, codec, after: found.offset) else { break }
      start = next
    }
    report.lineBytes = splitter.endOfLines
    try splitter.finish(body)
    return report
  }

  /// Finds where the next member seems to begin.
  private static func nextMember(
    in file: any StorageFile,
    _ codec: PartCodec,
    after offset: Int
  ) throws(StorageError) -> Int? {
    let signature = codec.signature
    var window: [UInt8] = []
    var windowStart = offset + 1
    var found: Int?
    try file.forEachChunk(from: windowStart) { chunk in
      window += chunk
      var index = 0
      while index + signature.count <= window.count {
        if window[index] == signature[0], window[index...].starts(with: signature) {
          found = windowStart + index
          return false
        }
        index += 1
      }
      window.removeFirst(index)
      windowStart += index
      return true
    }
    return found
  }

  /// Compares a member with what it says of itself.
  private struct Member: ~Copyable {
    private let isHeld: Bool
    private var held = LineBuffer()
    private var summary: MemberSummary?
    private var start = 0
    private var lines = 0

    /// No member of ours is longer; of one that is, the lines are given as they come.
    private static let longest = 2 * LineSplitter.longestLine

    init(isHeld: Bool) {
      self.isHeld = isHeld
    }

    mutating func take(
      _ piece: GzipReader.Piece,
      _ splitter: inout LineSplitter,
      _ report: inout Report,
      _ body: (Line) throws(StorageError) -> Void
    ) throws(StorageError) {
      switch piece {
      case .begin(let summary, let offset):
        self.summary = summary
        lines = 0
        start = offset
        held.removeAll()
      case .bytes(let bytes):
        guard isHeld else { return try split(bytes, &splitter, body) }
        held.append(contentsOf: bytes)
        if held.count > Self.longest { try release(&splitter, body) }
      case .end:
        try release(&splitter, body)
        if let summary { compare(summary, &report) }
      case .summary(let summary): compare(summary, &report)
      }
    }

    private func compare(_ summary: MemberSummary, _ report: inout Report) {
      guard summary.lines != lines else { return }
      report.liars.append(
        .init(offset: start, reason: "it has \(lines) lines and says \(summary.lines)")
      )
    }

    private mutating func release(
      _ splitter: inout LineSplitter,
      _ body: (Line) throws(StorageError) -> Void
    ) throws(StorageError) {
      guard !held.isEmpty else { return }
      var lines = LineBuffer()
      swap(&lines, &held)
      try lines.withBytes { bytes throws(StorageError) in try split(bytes, &splitter, body) }
      lines.removeAll()
      swap(&lines, &held)
    }

    private mutating func split(
      _ bytes: UnsafeRawBufferPointer,
      _ splitter: inout LineSplitter,
      _ body: (Line) throws(StorageError) -> Void
    ) throws(StorageError) {
      var count = 0
      try splitter.feed(bytes) { line throws(StorageError) in
        count += 1
        try body(line)
      }
      lines += count
    }
  }
}
