// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import JSON
import Testing

@testable import Recording

@Suite struct ExportTests {
  private func export(
    _ disk: any Storage,
    _ change: (inout RecordingExport.Configuration) -> Void = { _ in }
  ) throws -> (ExportReport, MemoryStorage) {
    let output = MemoryStorage()
    return (try export(disk, to: output, change), output)
  }

  private func export(
    _ disk: any Storage,
    to output: any Storage,
    _ change: (inout RecordingExport.Configuration) -> Void = { _ in }
  ) throws -> ExportReport {
    var configuration = RecordingExport.Configuration()
    change(&configuration)
    let export = RecordingExport(
      of: RecordingReader(storage: disk),
      configuration: configuration
    )
    return try export.run(into: output, shownAs: "out")
  }

  /// The rows of each channel as `ibkr stats` counts them.
  private func counts(_ disk: any Storage) throws -> [Channel: Int] {
    let rows = try RecordingStatistics(of: RecordingReader(storage: disk)).rows
    return Dictionary(
      uniqueKeysWithValues: rows.filter { $0.symbol == nil }.map { ($0.channel, $0.rows) }
    )
  }

  @Test(arguments: [false, true], [ExportFormat.parquet, .csv])
  func whatIsWrittenIsWhatWasRead(_ isCompressed: Bool, _ format: ExportFormat) throws {
    let recording = try DamagedRecording(compressed: isCompressed)
    let wanted = try counts(recording.disk)
    for layout in ExportLayout.allCases {
      let (report, output) = try export(recording.disk) {
        ($0.format, $0.layout) = (format, layout)
      }
      #expect(report.damageCount == 0)
      let written = Dictionary(
        uniqueKeysWithValues: report.channels.map { ($0.channel, $0.rowsWritten) }
      )
      #expect(written == wanted)
      #expect(output.paths.count == report.channels.reduce(0) { $0 + $1.files })
      #expect(output.paths.allSatisfy { $0.hasSuffix(".\(format.rawValue)") })
    }
  }

  @Test func theValuesInParquetAreThoseOfTheLines() throws {
    let recording = try DamagedRecording(compressed: true)
    let (_, output) = try export(recording.disk) { $0.layout = .channel }
    for channel in [Channel.raw, .quote, .gap, .status] {
      let schema = ParquetSchema(channel.columns, isExact: false)
      let bytes = try output.open("\(channel.rawValue).parquet").readAll(limit: .max)
      let columns = try ParquetReading(bytes, schema).columns
      var row = 0
      let reader = RecordingReader(storage: recording.disk)
      for part in try reader.parts(of: [channel]) {
        try reader.forEachLine(of: part) { line in
          guard let value = try? JSONValue(parsing: line) else { return }
          for (index, column) in channel.columns.enumerated() {
            let wanted = Self.values(value[column.name] ?? .null, column.kind)
            #expect(columns[index].rows[row] == wanted, "\(channel) \(column.name) of row \(row)")
          }
          row += 1
        }
      }
      #expect(row > 0 && columns[0].rows.count == row)
    }
  }

  private static func values(_ value: JSONValue, _ kind: Column.Kind) -> [ParquetReading.Value] {
    if let elements = value.elements {
      return elements.flatMap { values($0, kind == .strings ? .string : .integer) }
    }
    if value.isNull { return [.null] }
    if kind == .bool || kind == .boolOrNull, let flag = value.bool { return [.flag(flag)] }
    if kind == .decimalOrNull, let number = value.decimal {
      return [.double(number.doubleValue.bitPattern)]
    }
    if kind != .string, kind != .stringOrNull, let number = value.int {
      return [.integer(Int64(number))]
    }
    return [.bytes(Array((value.string ?? "").utf8))]
  }

  @Test func whatIsInTheWayStays() throws {
    let recording = try DamagedRecording(compressed: false)
    let (_, output) = try export(recording.disk)
    let before = output.with { $0.files.mapValues(\.bytes) }
    let error = #expect(throws: StorageError.self) { try export(recording.disk, to: output) }
    #expect(error?.code == .exists)
    #expect(error?.description.contains("--force") == true)
    #expect(output.with { $0.files.mapValues(\.bytes) } == before)
    let report = try export(recording.disk, to: output) { $0.replaces = true }
    #expect(report.channels.allSatisfy { $0.rowsRead == $0.rowsWritten })
    #expect(output.with { $0.files.mapValues(\.bytes) } == before)
  }

  @Test func aFileHasItsNameOnlyWhenItIsSafe() throws {
    let recording = try QuoteRecording()
    try recording.writeRow(bid: "1.5")
    let output = MemoryStorage()
    _ = try export(recording.storage, to: output) { $0.layout = .channel }
    let operations = output.with { $0.operations }
    let path = "quote.parquet.new"
    let order = ["create", "sync", "open", "rename"].map { name in
      operations.firstIndex(of: "\(name) \(path)") ?? -1
    }
    #expect(order == order.sorted() && !order.contains(-1), "\(operations)")
    #expect(operations.last?.hasPrefix("folder") == true)
  }

  @Test(arguments: ["write", "sync", "rename", "open"])
  func aDiskThatRefusesLeavesNothing(_ operation: String) throws {
    let recording = try QuoteRecording()
    try recording.writeRow(bid: "1.5")
    let output = MemoryStorage()
    output.with { state in
      state.fault = { name, path in name == operation && path.hasSuffix(".new") ? 28 : nil }
    }
    #expect(throws: StorageError.self) { try export(recording.storage, to: output) }
    #expect(output.paths.isEmpty)
  }

  @Test func otherRowsOnTheDiskThanWereReadAreAnError() throws {
    final class Forgetful: ExportTable {
      let roundedNumbers = 0
      var isPublished = false
      var isDiscarded = false
      func append(_ row: ExportRow) {}
      func finish() -> (rows: Int, bytes: Int) { (0, 0) }
      func publish() { isPublished = true }
      func discard() { isDiscarded = true }
    }
    let recording = try QuoteRecording()
    try recording.writeRow(bid: "1.5")
    let table = Forgetful()
    var group = RecordingExport.Group(channel: .quote, date: nil)
    group.parts = try recording.reader.parts()
    let error = #expect(throws: ExportError.self) {
      try RecordingExport(of: recording.reader).run([group]) { _ in table }
    }
    #expect(error?.description.hasPrefix("1 rows of quote were read and 0 are on the disk") == true)
    #expect(!table.isPublished && table.isDiscarded)
  }

  @Test(arguments: [false, true])
  func damagedLinesAreNamedAndAllOthersAreThere(_ isCompressed: Bool) throws {
    let recording = try DamagedRecording(compressed: isCompressed)
    let wanted = try counts(recording.disk)
    let path = try recording.part(0, of: "raw")
    var lost = 1
    if isCompressed {
      lost = try PartReader(path, storage: recording.disk).lineCount()
      try recording.change(path) { $0[$0.count / 2] ^= 0x55 }
    } else {
      try recording.changeLines(path) { $0[1] = $0[1].replacing("\"v\"", with: "\"w\"") }
    }
    let (report, _) = try export(recording.disk)
    let raw = try #require(report.channels.first { $0.channel == .raw })
    #expect(raw.damageCount == 1)
    #expect(raw.damages.first?.path == path)
    #expect(raw.damages.first?.line == (isCompressed ? nil : 2))
    // Nothing of a damaged member is to be trusted, however well it reads.
    #expect(raw.rowsWritten == wanted[.raw, default: 0] - lost)
    for figures in report.channels where figures.channel != .raw {
      #expect(figures.rowsWritten == wanted[figures.channel])
    }
  }

  @Test(arguments: [
    ("true", "is not of its type"), ("1.5}", "nothing may follow"),
    ("1.5,\"bid\":2.5", "is something else"),
    ("\"a\\x\"", ""), ("\"\u{7F}\"", "is not of its type"),
  ])
  func whatIsNoRowIsSaidOf(_ bid: String, _ reason: String) throws {
    let recording = try QuoteRecording()
    try recording.writeRow(bid: bid, part: 1)
    try recording.writeRow(bid: "2.5", part: 2)
    let (report, _) = try export(recording.storage)
    #expect(report.channels[0].rowsWritten == 1)
    #expect(report.damages.count == 1)
    #expect(report.damages[0].line == 1)
  }

  @Test func aLineThatIsBeingWrittenIsLeftForTheNextTime() throws {
    let recording = try QuoteRecording()
    try recording.writeRow(bid: "1.5")
    let path = try #require(recording.storage.paths.first { $0.hasPrefix("ch=quote") })
    recording.storage.with { $0.files[path]?.bytes += Array("{\"v\":1,\"run".utf8) }
    let (report, _) = try export(recording.storage)
    #expect(report.damageCount == 0)
    #expect(report.channels[0].unfinishedLines == 1)
    #expect(report.channels[0].rowsWritten == 1)
  }

  @Test func anEmptyRecordingMakesNoFile() throws {
    let recording = try QuoteRecording()
    let (report, output) = try export(recording.storage)
    #expect(report.channels.isEmpty)
    #expect(output.paths.isEmpty)
  }

  @Test func anExcerptHasItsRowsAndNoOthers() throws {
    let recording = try QuoteRecording()
    try recording.writeRow(bid: "1.5", symbol: "A", conid: 1, time: 100)
    try recording.writeRow(bid: "2.5", symbol: "A", conid: 1, time: 200, part: 2)
    try recording.writeRow(bid: "3.5", symbol: "B", conid: 2, time: 150)
    try recording.writeGapRow(conids: "[2]", part: 1)
    try recording.writeGapRow(conids: "[1,2]", part: 2)
    try recording.writeGapRow(conids: "[]", part: 3)
    func bids(_ excerpt: Excerpt) throws -> String {
      let (report, output) = try export(recording.storage) {
        ($0.format, $0.excerpt, $0.layout, $0.channels) = (.csv, excerpt, .channel, [.quote])
      }
      guard report.channels[0].rowsRead > 0 else { return "" }
      let bytes = try output.open("quote.csv").readAll(limit: .max)
      return bytes.split(separator: UInt8(ascii: "\n")).dropFirst().map { line in
        let fields = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        return String(decoding: fields[8], as: UTF8.self)
      }
      .joined(separator: " ")
    }
    let start = recording.start
    #expect(try bids(.everything) == "1.5 2.5 3.5")
    #expect(try bids(Excerpt(from: start + 150)) == "2.5 3.5")
    #expect(try bids(Excerpt(from: start + 100, to: start + 200)) == "1.5 3.5")
    #expect(try bids(Excerpt(conids: [2])) == "3.5")
    #expect(try bids(Excerpt(conids: [3])) == "")
    let (gaps, _) = try export(recording.storage) { $0.excerpt.conids = [1] }
    #expect(gaps.damageCount == 0)
    #expect(gaps.channels.map(\.rowsRead) == [2, 2])
  }

  @Test func numbersThatADoubleCannotHoldAreTold() throws {
    let recording = try QuoteRecording()
    try recording.writeRow(bid: "0.12345678901234567")
    let (rounded, _) = try export(recording.storage)
    #expect(rounded.channels[0].roundedNumbers == 1)
    let error = #expect(throws: StorageError.self) {
      try export(recording.storage) { $0.isExact = true }
    }
    #expect(error?.description.contains("bid 0.12345678901234567 does not fit") == true)
    let (exact, _) = try export(recording.storage) { $0.format = .csv }
    #expect(exact.channels[0].roundedNumbers == 0)
  }

  @Test func fieldsOfCSVAreQuotedAsRFC4180Says() throws {
    let recording = try QuoteRecording()
    try recording.writeRow(bid: "150.0", symbol: "A\\\"B,\\n\\u00e9", fields: "")
    let (report, output) = try export(recording.storage) {
      ($0.format, $0.layout) = (.csv, .channel)
    }
    #expect(report.channels[0].rowsWritten == 1)
    let text = String(decoding: try output.open("quote.csv").readAll(limit: .max), as: UTF8.self)
    let (run, time) = (recording.run, recording.start)
    #expect(
      text == Channel.quote.columns.map(\.name).joined(separator: ",") + "\r\n"
        + "1,\(run),1,\(time),,1,\"A\"\"B,\n\u{e9}\",false,150.0,,,,,,,,,,,,,\"[\"\"bid\"\"]\",[],,\"\"\r\n"
    )
  }

  @Test func aStreamHasNamesAndRowsAndIsCounted() throws {
    let recording = try QuoteRecording()
    try recording.writeRow(bid: "150.0")
    var bytes: [UInt8] = []
    let report = try RecordingExport(of: recording.reader).run(.quote) { bytes += $0 }
    #expect(report.channels[0].rowsWritten == 1)
    #expect(report.channels[0].bytes == bytes.count)
    #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("v,run,seq,"))
    bytes = []
    _ = try RecordingExport(of: recording.reader).run(.raw) { bytes += $0 }
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == "v,run,seq,ts_recv,ts_event,mono,dir,op,topic,msg,b64,redacted\r\n"
    )
  }

  @Test(arguments: 0..<Seeds.count(40))
  func escapesAreUndoneAsAStringUndoesThem(_ seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let pieces = [
      "a", "é", "\u{1F600}", "\\n", "\\\"", "\\\\", "\\/", "\\u0041", "\\ud83d\\ude00", "\\ud83d",
      "\\ude00x", "\\u00e9", "\\t",
    ]
    let text = (0..<20).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
    try Array(text.utf8).withUnsafeBytes { content in
      var found: [UInt8] = []
      var scratch = LineBuffer()
      ExportRow.withText(content, &scratch) { found = Array($0) }
      let wanted = try #require(JSONString.text(content))
      #expect(String(decoding: found, as: UTF8.self) == wanted)
    }
  }
}

extension PartReader {
  fileprivate func lineCount() throws -> Int {
    var count = 0
    _ = try forEachLine { _ in count += 1 }
    return count
  }
}

extension QuoteRecording {
  /// Writes a row of `ch=quote` with all its columns.
  func writeRow(
    bid: String,
    symbol: String = "A",
    conid: Int = 1,
    time: Int64 = 0,
    fields: String = "{}",
    part: Int = 1
  ) throws {
    var line = "{\"v\":1,\"run\":\"\(run)\",\"seq\":\(part),\"ts_recv\":\(start + time)"
    for column in Channel.quote.columns.dropFirst(4) {
      let value =
        switch column.name {
        case "conid": "\(conid)"
        case "symbol": "\"\(symbol)\""
        case "snapshot": "false"
        case "bid": bid
        case "changed": "[\"bid\"]"
        case "flags": "[]"
        case "fields": "\"\(fields)\""
        default: "null"
        }
      line += ",\"\(column.name)\":\(value)"
    }
    var lines = LineBuffer()
    lines.append(contentsOf: Array("\(line)}\n".utf8))
    try write(lines, to: .quote, symbol: "\(conid)", part: part)
  }

  /// Writes a row of `ch=gap` with all its columns.
  fileprivate func writeGapRow(conids: String, part: Int) throws {
    let text = """
      {"v":1,"run":"\(run)","seq":\(part),"ts_recv":\(start),"ts_event":null,"gap_id":"\(part)",\
      "ts_start":1,"ts_end":2,"mono_start":1,"mono_end":2,"reason":"disconnect","symbols":["A"],\
      "conids":\(conids),"detected_by":"close","count":null,"seq_first":1,"seq_last":2,\
      "run_prev":null,"backfill":"none"}

      """
    var lines = LineBuffer()
    lines.append(contentsOf: Array(text.utf8))
    try write(lines, to: .gap, symbol: nil, part: part)
  }
}
