// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// A part that a crash left open: what of it is good, and the rest moved away.
///
/// A crash of the program leaves the beginning of one line at the end, a power loss also a stretch of
/// anything. What is cut off is kept in a file with `.torn` behind its name; that is written and
/// synced before the part is touched, so nothing is ever in neither place.
struct OpenPart {
  /// The part.
  let part: PartName
  /// The lowest and the highest `seq` of the good lines, nil if there are none.
  private(set) var seq: ClosedRange<UInt64>?
  /// The `ts_recv` of the first and of the last good line.
  private(set) var firstTime: Int64 = 0
  private(set) var lastTime: Int64 = 0
  /// What the lines of a log declare as lost.
  private(set) var losses = DeclaredLosses()

  /// Stretches of the file: good ones and others in turn.
  private var good: [Range<Int>] = []
  private var size = 0

  /// How far from its end a damage in the log is taken for the crash's own, in nanoseconds.
  ///
  /// What comes behind it then is not trusted: a hole in the log would not be declared by anything.
  private static let crashSpan: Int64 = 10_000_000_000

  /// Whether a damage is the crash's own.
  ///
  /// - Parameters:
  ///   - time: When the first line behind the damage came.
  ///   - end: When the last line of all came.
  /// - Returns: Whether it is.
  static func isOfCrash(_ time: Int64, end: Int64) -> Bool { time > end - crashSpan }

  /// Looks through a part.
  ///
  /// - Parameters:
  ///   - part: A plain part.
  ///   - storage: The recording.
  ///   - limit: The last `seq` that the log has; what follows from later lines is not good.
  /// - Throws: `StorageError`.
  init(
    _ part: PartName,
    storage: any Storage,
    upTo limit: UInt64 = .max
  ) throws(StorageError) {
    self.part = part
    var lines: [Stretch] = []
    var losses = DeclaredLosses()
    _ = try PartReader(part.plainPath, storage: storage).forEachLine { line in
      let end = line.offset + line.bytes.count + 1
      let head = Self.head(of: line, in: part.run).flatMap { $0.seq <= limit ? $0 : nil }
      guard let head, lines.last.map({ head.seq >= $0.lastSeq }) ?? true else { return }
      if part.channel == .raw { losses.note(line.bytes, of: part.run) }
      if var last = lines.last, last.range.upperBound == line.offset {
        last.extend(to: end, head)
        lines[lines.count - 1] = last
      } else {
        lines.append(Stretch(line.offset..<end, head))
      }
    }
    self.losses = losses
    size = try storage.open(part.plainPath).byteCount()
    if part.channel == .raw, let last = lines.last {
      // Everything behind the first damage, if it is the crash's.
      let end = last.lastTime
      let broken = lines.dropLast().firstIndex { Self.isOfCrash($0.lastTime, end: end) }
      if let broken {
        lines.removeSubrange((broken + 1)...)
      }
    }
    good = lines.map(\.range)
    guard let first = lines.first, let last = lines.last else { return }
    seq = first.firstSeq...max(first.firstSeq, last.lastSeq)
    firstTime = first.firstTime
    lastTime = last.lastTime
  }

  /// Moves away what is not good.
  ///
  /// - Parameter storage: The recording.
  /// - Returns: Whether anything is left.
  /// - Throws: `StorageError`.
  func mend(in storage: any Storage) throws(StorageError) -> Bool {
    let bad = self.bad
    guard !bad.isEmpty || good.isEmpty else { return true }
    if !bad.isEmpty { try keep(bad, in: storage) }
    if good.isEmpty {
      try storage.remove(part.plainPath)
    } else if bad.count == 1, bad[0].upperBound == size {
      let file = try storage.append(to: part.plainPath, creating: false)
      try file.truncate(to: bad[0].lowerBound)
      try file.synchronize()
    } else {
      let draft = "\(part.plainPath).new"
      try storage.removeIfPresent(draft)
      let file = try storage.create(draft)
      try Self.copy(good, of: try storage.open(part.plainPath), to: file)
      try file.synchronize()
      try storage.rename(draft, to: part.plainPath)
    }
    try storage.synchronizeFolder(part.folder)
    return !good.isEmpty
  }

  private var bad: [Range<Int>] {
    var bad: [Range<Int>] = []
    var end = 0
    for range in good {
      if range.lowerBound > end { bad.append(end..<range.lowerBound) }
      end = range.upperBound
    }
    if end < size { bad.append(end..<size) }
    return bad
  }

  private func keep(_ ranges: [Range<Int>], in storage: any Storage) throws(StorageError) {
    let torn = try storage.append(to: "\(part.plainPath).torn", creating: true)
    try Self.copy(ranges, of: try storage.open(part.plainPath), to: torn)
    var end = LineBuffer()
    end.append("\n")
    try end.withBytes { bytes throws(StorageError) in try torn.writeAll(bytes) }
    try torn.synchronize()
    try storage.synchronizeFolder(part.folder)
  }

  private static func copy(
    _ ranges: [Range<Int>],
    of source: any StorageFile,
    to target: any StorageFile
  ) throws(StorageError) {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    defer { room.deallocate() }
    for range in ranges {
      var offset = range.lowerBound
      while offset < range.upperBound {
        let wanted = min(room.count, range.upperBound - offset)
        let piece = UnsafeMutableRawBufferPointer(rebasing: room[..<wanted])
        let count = try source.read(into: piece, at: offset)
        guard count > 0 else { break }
        try target.writeAll(UnsafeRawBufferPointer(rebasing: room[..<count]))
        offset += count
      }
    }
  }

  /// What a good line says; nil for any other.
  static func head(of line: Line, in run: RunID) -> LineHead? {
    guard line.isComplete, !line.isTooLong, let head = LineHead(line.bytes, of: run) else {
      return nil
    }
    do {
      try JSONValidator.validate(line.bytes)
      return head
    } catch {
      return nil
    }
  }

  /// Good lines that follow each other.
  private struct Stretch {
    var range: Range<Int>
    let firstSeq: UInt64
    var lastSeq: UInt64
    let firstTime: Int64
    var lastTime: Int64

    init(_ range: Range<Int>, _ head: LineHead) {
      self.range = range
      (firstSeq, lastSeq) = (head.seq, head.seq)
      (firstTime, lastTime) = (head.realtime, head.realtime)
    }

    mutating func extend(to end: Int, _ head: LineHead) {
      range = range.lowerBound..<end
      lastSeq = head.seq
      lastTime = head.realtime
    }
  }
}
