// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Flow
import IBKR
import JSON

/// Looks through one part, line by line.
struct PartCheck {
  /// What was found.
  private(set) var findings: [Finding] = []
  /// How many lines there are.
  private(set) var lines = 0
  /// The numbers of the lines.
  private(set) var numbers = SeqRanges()
  /// The lowest and the highest `seq`.
  private(set) var seq: ClosedRange<UInt64>?
  /// The earliest and the latest `ts_recv`.
  private(set) var time: ClosedRange<Int64>?
  /// The monotonic clock of the first and of the last message of the log that arrived.
  private(set) var monotonic: (first: Int64, last: Int64)?
  /// What `overflow` gaps of the log declare as lost.
  private(set) var declared: [ClosedRange<UInt64>] = []
  /// The time before the run in which nobody was recording.
  private(set) var down: DownTime?
  /// How many bytes the file has.
  private(set) var bytes = 0
  /// The SHA-256 of the file, in hexadecimal.
  private(set) var digest = ""

  /// The part.
  let part: PartName
  /// Where it is.
  let path: String

  private let columns: Columns
  private let channel: Channel
  private let isBeingWritten: Bool
  // What the folder says, taken apart once, and what of the lines was seen to fit it.
  private let date: String?
  private let symbol: String?
  private var fittingDay: UTCDate?
  private var fittingSymbol: [UInt8] = []
  private var previous: LineHead?
  private var lastArrival: Int64?
  private var counts: [Finding.Kind: Int] = [:]

  /// So many findings of one kind are told of one part; the rest is counted.
  private static let most = 20

  init(
    _ part: PartName,
    channel: Channel,
    path: String,
    time: TimeFormat = .nanoseconds,
    isBeingWritten: Bool
  ) {
    self.part = part
    self.path = path
    self.channel = channel
    self.isBeingWritten = isBeingWritten
    date = part.date.map { String($0) }
    symbol = part.symbol.map { String($0) }
    columns = Columns(of: channel, time: time)
  }

  /// Reads the part.
  ///
  /// - Parameters:
  ///   - storage: The recording.
  ///   - lineLimit: The longest line that is not too long.
  /// - Throws: `StorageError` if the part cannot be opened or read.
  mutating func run(
    on storage: any Storage,
    lineLimit: Int = LineSplitter.longestLine
  ) throws(StorageError) {
    var hash: Digest
    do { hash = try Digest(.sha256) } catch {
      throw StorageError("hash", path, reason: error.description)
    }
    var byteCount = 0
    var check = self
    let reader = PartReader(path, storage: storage, lineLimit: lineLimit)
    let report = try reader.forEachLine { chunk throws(StorageError) in
      byteCount += chunk.count
      do throws(CryptoError) { try hash.update(chunk) } catch {
        throw StorageError("hash", check.path, reason: error.description)
      }
    } _: { line in
      check.take(line)
    }
    self = check
    bytes = byteCount
    do { digest = Hexadecimal.encode(try hash.finish()) } catch {
      throw StorageError("hash", path, reason: error.description)
    }
    for damage in report.damages {
      add(.damagedMember, nil, "the member at byte \(damage.offset): \(damage.reason)")
    }
    for liar in report.liars {
      add(.wrongMember, nil, "the member at byte \(liar.offset): \(liar.reason)")
    }
    if lines == 0, report.damages.isEmpty { add(.emptyPart, nil, "there are no lines in it") }
    for (kind, count) in counts where count > Self.most {
      findings.append(Finding(kind, path, "and \(count - Self.most) more like this"))
    }
  }

  /// Whether the lines are as they should be, as far as the file itself tells.
  var isSound: Bool { !findings.contains { $0.kind.isDamage } }

  private mutating func add(_ kind: Finding.Kind, _ line: Int?, _ detail: String) {
    counts[kind, default: 0] += 1
    guard counts[kind, default: 0] <= Self.most else { return }
    findings.append(Finding(kind, path, line: line, detail))
  }

  private mutating func take(_ line: Line) {
    guard line.isComplete else {
      if !isBeingWritten {
        add(.tornLine, line.number, "it has no end, \(line.bytes.count) bytes are there")
      }
      return
    }
    lines += 1
    guard !line.isTooLong else {
      return add(.lineTooLong, line.number, "it has more than \(line.bytes.count - 1) bytes")
    }
    guard !line.bytes.isEmpty else { return add(.emptyLine, line.number, "there is nothing in it") }
    do {
      try JSONValidator.validate(line.bytes)
    } catch {
      let kind = error.code == .invalidUTF8 ? Finding.Kind.notUTF8 : .notJSON
      return add(kind, line.number, "\(error)")
    }
    guard let head = LineHead(line.bytes, of: part.run) else { return takeStranger(line) }
    switch columns.fault(in: line.bytes) {
    case .columns(let words): add(.wrongColumns, line.number, words)
    case .type(let words): add(.wrongType, line.number, words)
    case nil: break
    }
    checkPlace(head, line)
    checkOrder(head, line)
    numbers.insert(head.seq)
    seq = LineSheet.extended(seq, to: head.seq)
    time = LineSheet.extended(time, to: head.realtime)
    if channel == .raw { takeLog(line, head) }
    previous = head
  }

  /// A line that is not of this run, or does not say whose it is.
  private mutating func takeStranger(_ line: Line) {
    var scanner = JSONScanner(line.bytes)
    _ = scanner.nextMember()
    if let run = scanner.nextMember(), scanner.bytes(run.name).elementsEqual("run".utf8),
      run.kind == .string,
      RunID(String(decoding: scanner.bytes(run.content), as: UTF8.self)) != nil,
      !scanner.bytes(run.content).elementsEqual(part.run.description.utf8)
    {
      add(.wrongRun, line.number, "it is of another run than the file")
    } else {
      add(.wrongColumns, line.number, "it does not begin with v, run, seq and ts_recv")
    }
  }

  private mutating func checkPlace(_ head: LineHead, _ line: Line) {
    if let date, fittingDay?.contains(head.realtime) != true {
      let day = UTCDate(realtime: head.realtime)
      if day.description == date {
        fittingDay = day
      } else {
        add(.wrongDay, line.number, "ts_recv is of \(day)")
      }
    }
    guard let symbol else { return }
    var scanner = JSONScanner(line.bytes)
    while let member = scanner.nextMember() {
      guard member.key == Self.symbolKey else { continue }
      let content = scanner.bytes(member.content)
      if !fittingSymbol.isEmpty,
        fittingSymbol.withUnsafeBytes({ content.elementsMatch($0) })
      {
        return
      }
      let text = JSONString.text(content) ?? ""
      if PartPath.encoded(text) == symbol {
        fittingSymbol = Array(content)
      } else {
        add(.wrongSymbol, line.number, "it is of '\(text)'")
      }
      return
    }
  }

  private mutating func checkOrder(_ head: LineHead, _ line: Line) {
    guard let previous else { return }
    if head.seq < previous.seq {
      add(.seqOrder, line.number, "\(head.seq) comes after \(previous.seq)")
    } else if head.seq == previous.seq, channel == .raw {
      add(.seqRepeated, line.number, "\(head.seq) comes twice")
    }
  }

  private mutating func takeLog(_ line: Line, _ head: LineHead) {
    var scanner = JSONScanner(line.bytes)
    var now: Int64?
    var isOwn = false
    while let member = scanner.nextMember() {
      let content = scanner.bytes(member.content)
      switch member.key {
      case Self.mono: now = scanner.integer(member)
      case Self.dir:
        isOwn = content.first == UInt8(ascii: "s")
        if let now, content.first == UInt8(ascii: "i") { checkClocks(now, head, line) }
        if !isOwn { return }
      case Self.op:
        if isOwn, content.elementsEqual("gap".utf8) { takeGap(line) }
        return
      default: continue
      }
    }
  }

  /// The clocks of what arrived: each read of the socket has one moment, and what we do about its
  /// messages is numbered between them at a later one.
  private mutating func checkClocks(_ now: Int64, _ head: LineHead, _ line: Line) {
    if let last = monotonic?.last, now < last {
      add(.timeBackwards, line.number, "mono goes back by \((last - now) / 1_000) µs")
    }
    monotonic = (monotonic?.first ?? now, now)
    if let last = lastArrival, head.realtime < last {
      add(.clockSetBack, line.number, "by \((last - head.realtime) / 1_000_000) ms")
    }
    lastArrival = head.realtime
  }

  private mutating func takeGap(_ line: Line) {
    guard let raw = RawLine(line.bytes, of: part.run), case .own(_, let bytes) = raw.content,
      let value = try? JSONValue(parsing: bytes)
    else { return }
    if let found = DownTime(value) {
      down = found
    } else if case .gap(let gap) = OwnEvent("gap", value), gap.reason == .overflow {
      declared.append(gap.seqFirst...max(gap.seqFirst, gap.seqLast ?? .max))
    }
  }

  private static let mono = JSONKey("mono")
  private static let dir = JSONKey("dir")
  private static let op = JSONKey("op")
  private static let symbolKey = JSONKey("symbol")
}
