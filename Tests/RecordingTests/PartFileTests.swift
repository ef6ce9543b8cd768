// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Flow
import Glibc
import Testing

@testable import Recording

@Suite struct PartFileTests {
  let storage = MemoryStorage()
  let run = RunID(milliseconds: 1, random: 1)
  let place = PartPath(channel: .raw, date: UTCDate(realtime: 0))

  private func part() -> PartFile { PartFile(place, number: 1, run: run, storage: storage) }

  private func append(_ text: String, seq: UInt64, at time: Int64, to part: PartFile) {
    part.sheet.lines.append(contentsOf: Array("\(text)\n".utf8))
    part.sheet.endLine(seq: seq, realtime: time)
  }

  @Test func isSealedInTheOrderThatSurvivesPowerLoss() throws {
    let part = part()
    let head = #"{"v":1,"run":"\#(run)","seq":"#
    append(head + #"3,"ts_recv":50}"#, seq: 3, at: 50, to: part)
    append(head + #"4,"ts_recv":40}"#, seq: 4, at: 40, to: part)
    try part.write()
    append(head + #"7,"ts_recv":60}"#, seq: 7, at: 60, to: part)
    let path = part.path
    let name = try #require(try part.finish())
    let sealer = PartSealer(name, channel: .raw, codec: .gzip, storage: storage)
    while try !sealer.step() {}
    let entry = try #require(sealer.entry)
    let folder = "ch=raw/date=1970-01-01"
    #expect(
      storage.with { $0.operations.filter { !$0.hasPrefix("read") } } == [
        "create \(path)", "write \(path)", "write \(path)", "open \(path)", "sync \(path)",
        "folder \(folder)", "folder ch=raw", "folder ", "open \(path)", "remove \(path).gz.new",
        "create \(path).gz.new",
        "write \(path).gz.new", "sync \(path).gz.new", "rename \(path).gz.new",
        "folder \(folder)",
      ]
    )
    #expect(entry.path == "\(path).gz")
    #expect(entry.lines == 3)
    #expect(entry.seq == 3...7)
    #expect(entry.time == 40...60)
    let sealed = try #require(storage.with { $0.files["\(path).gz"]?.bytes })
    #expect(entry.bytes == sealed.count)
    #expect(entry.digest == Hexadecimal.encode(try Digest.of(sealed, .sha256)))
    let plain = try #require(storage.text(path))
    #expect(storage.lines(under: "\(path).gz") == plain.split(separator: "\n").map(String.init))
    try sealer.removePlain()
    #expect(storage.paths == ["\(path).gz"])
  }

  @Test func aSealedPartHasMembersThatSayWhatIsInThem() throws {
    let part = part()
    for seq in 1...2_500 {
      let line = #"{"v":1,"run":"\#(run)","seq":\#(seq),"ts_recv":\#(seq)}"#
      append(line, seq: UInt64(seq), at: Int64(seq), to: part)
    }
    let name = try #require(try part.finish())
    let sealer = PartSealer(name, channel: .raw, codec: .gzip, storage: storage)
    while try !sealer.step() {}
    let sealed = try #require(storage.with { $0.files[sealer.sealedPath]?.bytes })
    var offset = 0
    var found: [ClosedRange<UInt64>] = []
    while offset < sealed.count {
      let header = Array(sealed[offset...])
      let summary = try #require(header.withUnsafeBytes { GzipMember.summary(of: $0) })
      found.append(summary.seq)
      offset += summary.byteCount
    }
    #expect(offset == sealed.count)
    #expect(found == [1...1_000, 1_001...2_000, 2_001...2_500])
    let report = try PartReader(sealer.sealedPath, storage: storage).forEachLine { _ in }
    #expect(report.damages == [] && report.liars == [])
  }

  @Test func withoutLinesThereIsNoFile() throws {
    #expect(try part().finish() == nil)
    #expect(storage.paths == [])
  }

  @Test(arguments: 0..<9)
  func aFullDiskNeverLeavesATornLine(_ capacity: Int) throws {
    let part = part()
    append("one", seq: 1, at: 1, to: part)
    try part.write()
    storage.with { $0.capacity = 4 + capacity }
    append("two", seq: 2, at: 2, to: part)
    append("three", seq: 3, at: 3, to: part)
    #expect(throws: StorageError.self) { try part.write() }
    #expect(storage.text(part.path) == "one\n")
    storage.with { $0.capacity = .max }
    try part.write()
    #expect(storage.text(part.path) == "one\ntwo\nthree\n")
  }

  @Test func aTailThatCouldNotBeCutIsCutBeforeTheNextWrite() throws {
    let part = part()
    append("one", seq: 1, at: 1, to: part)
    try part.write()
    storage.with { state in
      state.capacity = 6
      state.fault = { name, _ in name == "truncate" ? EIO : nil }
    }
    append("two", seq: 2, at: 2, to: part)
    #expect(throws: StorageError.self) { try part.write() }
    #expect(storage.text(part.path) == "one\ntw")
    storage.with { state in
      state.capacity = .max
      state.fault = nil
    }
    try part.write()
    #expect(storage.text(part.path) == "one\ntwo\n")
  }

  @Test func aFileThatWasClosedGoesOnWhereItWas() throws {
    let part = part()
    append("one", seq: 1, at: 1, to: part)
    try part.write()
    part.closeFile()
    #expect(!part.isOpen)
    append("two", seq: 2, at: 2, to: part)
    try part.write()
    #expect(storage.text(part.path) == "one\ntwo\n")
  }

  @Test(arguments: [false, true])
  func linesDoNotGoIntoAFileThatSomebodyHasRemoved(_ isOpen: Bool) throws {
    let part = part()
    append("one", seq: 1, at: 1, to: part)
    try part.write()
    if !isOpen { part.closeFile() }
    try storage.remove(part.path)
    append("two", seq: 2, at: 2, to: part)
    try part.write()
    #expect(part.number == 2)
    #expect(storage.paths == [part.path])
    #expect(storage.text(part.path) == "two\n")
  }
}

@Suite struct PartSetTests {
  let storage = MemoryStorage()
  let run = RunID(milliseconds: 1, random: 1)

  private func append(_ text: String, to part: PartFile, at time: Int64 = 0) {
    part.sheet.lines.append(contentsOf: Array("\(text)\n".utf8))
    part.sheet.endLine(seq: 1, realtime: time)
  }

  @Test func theLogIsWrittenBeforeEverythingElse() throws {
    let set = PartSet(run: run, storage: storage)
    for symbol in ["A", "B", "C"] { append("x", to: set.part(.quote, symbol: symbol, at: 0)) }
    append("x", to: set.part(.raw, at: 0))
    try set.write()
    let writes = storage.with { $0.operations.filter { $0.hasPrefix("write") } }
    #expect(writes.count == 4)
    #expect(writes.first?.hasPrefix("write ch=raw/") == true)
  }

  @Test func aNewDayIsANewPartAndAnOldOneIsSealed() throws {
    let set = PartSet(run: run, storage: storage)
    let day: Int64 = 86_400_000_000_000
    append("old", to: set.part(.raw, at: day - 1), at: day - 1)
    append("new", to: set.part(.raw, at: day), at: day)
    // The clock was set back: lines stay in the folder of their own time.
    append("set back", to: set.part(.raw, at: day - 5), at: day - 5)
    try set.write()
    #expect(
      try sealed(set) == [
        "ch=raw/date=1970-01-01/part-\(run)-000001.ndjson",
        "ch=raw/date=1970-01-02/part-\(run)-000001.ndjson",
      ]
    )
    set.finishAll()
    #expect(try sealed(set) == ["ch=raw/date=1970-01-01/part-\(run)-000002.ndjson"])
    #expect(storage.lines(under: "ch=raw") == ["old", "set back", "new"])
  }

  private func sealed(_ set: PartSet) throws -> [String] {
    var paths: [String] = []
    while let duty = try set.nextToSeal() {
      paths.append(duty.part.plainPath)
      set.didSeal(duty)
    }
    return paths
  }

  @Test func aPartEndsWhenItIsLargeOrOldAndWhenTheDayIsOver() throws {
    let rotation = Rotation(size: 10, interval: .seconds(5))
    let set = PartSet(run: run, storage: storage, rotation: rotation)
    let second: Int64 = 1_000_000_000
    append("small", to: set.part(.raw, at: 0), at: 0)
    append("x", to: set.part(.quote, symbol: "QUIET", at: 0), at: 0)
    try set.write()
    #expect(!set.hasFinished)
    append("large enough", to: set.part(.raw, at: 0), at: 0)
    try set.write()
    #expect(try sealed(set).count == 1)
    append("y", to: set.part(.raw, at: second), at: second)
    try set.write()
    append("y", to: set.part(.raw, at: 6 * second), at: 6 * second)
    try set.write()
    #expect(try sealed(set) == ["ch=raw/date=1970-01-01/part-\(run)-000002.ndjson"])
    append("z", to: set.part(.raw, at: 86_400 * second), at: 86_400 * second)
    try set.write()
    #expect(
      try sealed(set) == ["ch=quote/date=1970-01-01/symbol=QUIET/part-\(run)-000001.ndjson"]
    )
  }

  @Test func aSealedLogSaysThatWhatFollowsFromItIsSafe() throws {
    let set = PartSet(run: run, storage: storage)
    append("x", to: set.part(.quote, symbol: "A", at: 0))
    append("x", to: set.part(.raw, at: 0))
    try set.write()
    set.finishAll()
    let first = try #require(try set.nextToSeal())
    #expect(first.channel == .raw)
    for pending in first.before { try pending.perform(in: storage) }
    #expect(storage.with { $0.files.values.allSatisfy { $0.synced == $0.bytes.count } })
  }

  @Test func onlySoManyFilesAreOpen() throws {
    let set = PartSet(run: run, storage: storage, maximumOpen: 4)
    for round in 0..<3 {
      for symbol in 0..<20 {
        append("\(round)", to: set.part(.quote, symbol: "S\(symbol)", at: 0))
      }
      append("\(round)", to: set.part(.raw, at: 0))
      try set.write()
    }
    #expect(storage.with { $0.mostOpenFiles } <= 6)
    #expect(storage.lines(under: "ch=quote").count == 60)
  }
}

@Suite struct LedgerFileTests {
  let storage = MemoryStorage()

  private func append(_ text: String, to ledger: LedgerFile) throws {
    var lines = LineBuffer()
    lines.append(contentsOf: Array(text.utf8))
    try ledger.append(lines)
  }

  @Test func linesOfAllRunsFollowEachOther() throws {
    try append("one\n", to: LedgerFile("ledger", storage: storage))
    let ledger = LedgerFile("ledger", storage: storage)
    try append("two\nthree\n", to: ledger)
    try append("four\n", to: ledger)
    #expect(storage.text("ledger") == "one\ntwo\nthree\nfour\n")
    #expect(storage.paths == ["ledger"])
  }

  @Test(arguments: [1, 3, 4_095, 4_096, 4_097, 10_000])
  func aTornTailIsMovedAway(_ length: Int) throws {
    let torn = String(repeating: "x", count: length)
    storage.with { $0.files["ledger"] = .init(bytes: Array("good\n\(torn)".utf8)) }
    try append("new\n", to: LedgerFile("ledger", storage: storage))
    #expect(storage.text("ledger") == "good\nnew\n")
    #expect(storage.text("ledger.torn") == "\(torn)\n")
  }

  @Test func aFailedAppendLeavesNothing() throws {
    let ledger = LedgerFile("ledger", storage: storage)
    try append("one\n", to: ledger)
    storage.with { $0.capacity = 6 }
    #expect(throws: StorageError.self) { try append("two\n", to: ledger) }
    #expect(storage.text("ledger") == "one\n")
    storage.with { $0.capacity = .max }
    try append("three\n", to: ledger)
    #expect(storage.text("ledger") == "one\nthree\n")
  }
}

@Suite struct RunRecordTests {
  @Test func isReplacedInOneStep() throws {
    let storage = MemoryStorage()
    var record = RunRecord(
      run: RunID(milliseconds: 1, random: 1),
      start: 5,
      tool: "ibkr \"1\""
    )
    record.configuration = [("channels", "raw,quote"), ("directory", "/tmp/é")]
    try record.write(to: storage)
    let first = try #require(storage.text(record.path))
    #expect(first.contains(#""tool":"ibkr \"1\"""#))
    #expect(first.contains(#""ts_end":null,"seq_first":1,"seq_last":null"#))
    #expect(
      first.hasSuffix("\"configuration\":{\"channels\":\"raw,quote\",\"directory\":\"/tmp/é\"}}\n")
    )
    record.end = 9
    record.lastSeq = 77
    try record.write(to: storage)
    #expect(storage.paths == [record.path])
    #expect(storage.text(record.path)?.contains(#""ts_end":9,"seq_first":1,"seq_last":77"#) == true)
  }
}
