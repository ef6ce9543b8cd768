// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import Recording

#if SQLite
  @Suite struct SQLiteTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
      directory = try TemporaryDirectory()
      path = "\(directory.path)/a'b.sqlite"
    }

    private func export(
      _ disk: any Storage,
      _ change: (inout RecordingExport.Configuration) -> Void = { _ in }
    ) throws -> ExportReport {
      var configuration = RecordingExport.Configuration()
      configuration.format = .sqlite
      change(&configuration)
      return try RecordingExport(
        of: RecordingReader(storage: disk),
        configuration: configuration
      ).run(into: path)
    }

    private func names() throws -> [String] {
      try POSIXStorage(existing: directory.path).list("")
    }

    @Test func everyRowOfEveryChannelIsThereOnce() throws {
      let recording = try DamagedRecording(compressed: true)
      let counts = try RecordingStatistics(of: RecordingReader(storage: recording.disk)).rows
        .filter { $0.symbol == nil }
      // The second time changes nothing.
      for _ in 0..<2 {
        let report = try export(recording.disk)
        #expect(report.damageCount == 0)
        #expect(try names() == ["a'b.sqlite"])
        let database = try SQLiteDatabase(path, isNew: false)
        for row in counts {
          let name = row.channel.rawValue
          #expect(try database.number("SELECT count(*) FROM \"\(name)\"") == row.rows)
          let figures = report.channels.first { $0.channel == row.channel }
          #expect(figures?.rowsWritten == row.rows && figures?.bytes ?? 0 > 0)
        }
        #expect(try database.texts("PRAGMA integrity_check") == ["ok"])
        #expect(try database.texts("PRAGMA journal_mode") == ["delete"])
      }
    }

    @Test func whatIsNewIsAddedAndWhatIsGoneStays() throws {
      let first = try QuoteRecording()
      try first.writeRow(bid: "1.5", part: 1)
      try first.writeRow(bid: "2.5", part: 2)
      _ = try export(first.storage)
      // The first part was removed because of its age, the second has another value now.
      let second = try QuoteRecording()
      try second.writeRow(bid: "3.5", part: 2)
      try second.writeRow(bid: "4.5", part: 3)
      let report = try export(second.storage)
      #expect(report.channels[0].rowsWritten == 2)
      let database = try SQLiteDatabase(path, isNew: false)
      #expect(try database.texts("SELECT bid FROM quote ORDER BY seq") == ["1.5", "3.5", "4.5"])
      _ = try export(second.storage) { $0.replaces = true }
      #expect(
        try SQLiteDatabase(path, isNew: false).texts("SELECT bid FROM quote ORDER BY seq")
          == ["3.5", "4.5"]
      )
    }

    @Test func aFileOfSomebodyElseIsLeftAlone() throws {
      let recording = try QuoteRecording()
      try recording.writeRow(bid: "1.5")
      let storage = try POSIXStorage(existing: directory.path)
      let file = try storage.create("a'b.sqlite")
      try Array("a letter".utf8).withUnsafeBytes { try file.writeAll($0) }
      let error = #expect(throws: StorageError.self) { try export(recording.storage) }
      #expect(error?.code == .exists)
      #expect(directory.contents("a'b.sqlite") == "a letter")
      _ = try export(recording.storage) { $0.replaces = true }
      #expect(try SQLiteDatabase(path, isNew: false).number("SELECT count(*) FROM quote") == 1)
      // The other kind of numbers does not go into the same table.
      let other = #expect(throws: StorageError.self) {
        try export(recording.storage) { $0.isExact = true }
      }
      #expect(other?.description.contains("--exact") == true)
      #expect(try names() == ["a'b.sqlite"])
    }

    @Test func exactNumbersAreTheirDigits() throws {
      let recording = try QuoteRecording()
      try recording.writeRow(bid: "0.12345678901234567000", symbol: "A\\u0000\\n'\\\"é")
      let rounded = try export(recording.storage)
      #expect(rounded.channels[0].roundedNumbers == 1)
      let exact = try export(recording.storage) { ($0.isExact, $0.replaces) = (true, true) }
      #expect(exact.channels[0].roundedNumbers == 0)
      let database = try SQLiteDatabase(path, isNew: false)
      #expect(try database.texts("SELECT bid FROM quote") == ["0.12345678901234567000"])
      #expect(try database.texts("SELECT hex(symbol) FROM quote") == ["41000A2722C3A9"])
      #expect(try database.texts("SELECT typeof(last) FROM quote") == ["null"])
      #expect(try database.texts("SELECT changed FROM quote") == ["[\"bid\"]"])
    }

    @Test func twoRowsOfOneKeyAreNamed() throws {
      let recording = try QuoteRecording()
      try recording.writeRow(bid: "1.5", symbol: "A", conid: 1)
      try recording.writeRow(bid: "2.5", symbol: "B", conid: 2)
      let report = try export(recording.storage)
      #expect(report.channels[0].rowsRead == 1 && report.channels[0].rowsWritten == 1)
      #expect(report.damages.map(\.line) == [1])
      #expect(report.damages[0].reason == "another row has its run and seq")
    }

    @Test func anEmptyRecordingLeavesNothing() throws {
      _ = try export(QuoteRecording().storage)
      #expect(try names() == [])
    }
  }
#else
  @Suite struct SQLiteTests {
    @Test func withoutTheTraitItSaysWhatToBuild() throws {
      let reason = try #require(ExportFormat.sqlite.unavailability)
      #expect(reason.contains("--traits SQLite") && reason.contains("libsqlite3-dev"))
      #expect(ExportFormat.parquet.unavailability == nil)
      let directory = try TemporaryDirectory()
      var configuration = RecordingExport.Configuration()
      configuration.format = .sqlite
      let error = #expect(throws: StorageError.self) {
        try RecordingExport(of: QuoteRecording().reader, configuration: configuration)
          .run(into: "\(directory.path)/a.sqlite")
      }
      #expect(error?.description.contains(reason) == true)
      #expect(try POSIXStorage(existing: directory.path).list("") == [])
    }
  }
#endif
