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
    append("one", seq: 3, at: 50, to: part)
    append("two", seq: 4, at: 40, to: part)
    try part.write()
    append("three", seq: 7, at: 60, to: part)
    let entry = try #require(try part.seal())
    #expect(storage.text(part.path) == "one\ntwo\nthree\n")
    let folder = "ch=raw/date=1970-01-01"
    #expect(
      storage.with { $0.operations } == [
        "create \(part.path)", "write \(part.path)", "write \(part.path)", "sync \(part.path)",
        "folder \(folder)", "open \(part.path)", "read \(part.path)", "read \(part.path)",
      ]
    )
    #expect(entry.lines == 3)
    #expect(entry.seq == 3...7)
    #expect(entry.time == 40...60)
    #expect(entry.bytes == 14)
    let digest = try Hexadecimal.encode(Digest.of(Array("one\ntwo\nthree\n".utf8), .sha256))
    #expect(entry.digest == digest)
  }

  @Test func withoutLinesThereIsNoFile() throws {
    #expect(try part().seal() == nil)
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
    part.closeFile()
    try storage.remove(part.path)
    append("three", seq: 3, at: 3, to: part)
    #expect(throws: StorageError.self) { try part.write() }
    #expect(storage.paths == [])
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
    let sealed = try set.sealFinished()
    #expect(
      sealed.map(\.path) == [
        "ch=raw/date=1970-01-01/part-\(run)-000001.ndjson",
        "ch=raw/date=1970-01-02/part-\(run)-000001.ndjson",
      ]
    )
    set.finishAll()
    let rest = try set.sealFinished()
    #expect(rest.map(\.path) == ["ch=raw/date=1970-01-01/part-\(run)-000002.ndjson"])
    #expect(storage.lines(under: "ch=raw") == ["old", "set back", "new"])
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
