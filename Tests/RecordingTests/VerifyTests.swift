// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import Recording

// One case after another: they compute, and tests beside them wait for the network.
@Suite(.timeLimit(.minutes(15)), .serialized) struct VerifyTests {
  /// One way of damaging a recording.
  struct Damage: Sendable, CustomTestStringConvertible {
    let name: String
    let kind: Finding.Kind
    var isCompressed = false
    var isZstd = false
    var heals = false
    let inflict: @Sendable (DamagedRecording) throws -> Void

    var testDescription: String { name }
  }

  @Test(arguments: Codecs.all)
  func aSoundRecordingHasNoFindings(_ codec: PartCodec?) throws {
    let recording = try DamagedRecording(codec: codec)
    let report = try RecordingVerifier(storage: recording.disk, deep: true).verify()
    #expect(report.findings == [])
    #expect(report.parts > 6 && report.lines > 60)
    #expect(try RecordingRepair(storage: recording.disk).run() == [])
  }

  @Test(arguments: damages)
  func everyDamageIsNamedAndNoGoodLineIsLost(_ damage: Damage) throws {
    let recording = try DamagedRecording(
      codec: damage.isZstd ? .zstd : damage.isCompressed ? .gzip : nil
    )
    try damage.inflict(recording)
    let report = try verify(recording)
    #expect(report.findings.contains { $0.kind == damage.kind }, "\(report.findings.prefix(5))")
    #expect(!report.isSound)

    let before = try recording.goodLines()
    _ = try RecordingRepair(storage: recording.disk).run()
    #expect(before.subtracting(try recording.goodLines()).isEmpty)
    let after = try verify(recording)
    if damage.heals { #expect(after.isSound, "\(after.findings.prefix(5))") }
    // Whatever it has done, doing it again does nothing.
    #expect(try RecordingRepair(storage: recording.disk).run() == [])
  }

  private func verify(_ recording: DamagedRecording) throws -> RecordingVerifier.Report {
    try RecordingVerifier(storage: recording.disk, deep: true, lineLimit: 100_000).verify()
  }

  @Test func lineEndsAreFoundWhereverThePiecesAreCut() {
    let text = Array("one\n\ntwo\nlonger than it may be\nthree\nrest".utf8)
    for size in 1...text.count {
      var splitter = LineSplitter(limit: 12)
      var found: [String] = []
      func take(_ line: Line) {
        let text = line.isTooLong ? "?" : String(decoding: line.bytes, as: UTF8.self)
        found.append("\(line.number):\(line.offset):\(text)\(line.isComplete ? "" : "…")")
      }
      for start in stride(from: 0, to: text.count, by: size) {
        Array(text[start..<min(text.count, start + size)]).withUnsafeBytes {
          splitter.feed($0, take)
        }
      }
      splitter.finish(take)
      #expect(found == ["1:0:one", "2:4:", "3:5:two", "4:9:?", "5:31:three", "6:37:rest…"])
    }
  }
}

extension VerifyTests {
  static let damages: [Damage] = inLines + inMembers + inFrames + inFiles + inLedgers

  private static let inLines: [Damage] = [
    Damage(name: "the last line is cut short", kind: .tornLine) { recording in
      try recording.change(recording.part(-1, of: "raw")) { $0.removeLast(20) }
    },
    Damage(name: "a brace is another byte", kind: .notJSON) { recording in
      try recording.changeLine(of: "raw") { "[" + $0.dropFirst() }
    },
    Damage(name: "a page of zeros", kind: .notJSON) { recording in
      try recording.change(recording.part(0, of: "raw")) { bytes in
        for index in 300..<500 { bytes[index] = 0 }
      }
    },
    Damage(name: "a line in two pieces", kind: .notJSON) { recording in
      try recording.changeLine(of: "raw") { $0.replacing(",\"dir\"", with: "\n,\"dir\"") }
    },
    Damage(name: "a byte that is not UTF-8", kind: .notUTF8) { recording in
      try recording.change(recording.part(0, of: "raw")) { bytes in
        guard let index = bytes.firstIndex(of: UInt8(ascii: "s")) else { return }
        bytes[index] = 0x99
      }
    },
    Damage(name: "a price is another", kind: .wrongDigest) { recording in
      try recording.changeLine(of: "raw", with: "\\\"84\\\"") {
        $0.replacing("\\\"84\\\":\\\"1", with: "\\\"84\\\":\\\"9")
      }
    },
    Damage(name: "a quote is not that of the log", kind: .differsFromLog) { recording in
      try recording.changeLine(of: "quote") { $0.replacing("\"bid\":1", with: "\"bid\":9") }
    },
    Damage(name: "two lines are swapped", kind: .seqOrder) { recording in
      try recording.changeLines(recording.part(0, of: "raw")) { $0.swapAt(2, 3) }
    },
    Damage(name: "a line comes twice", kind: .seqRepeated) { recording in
      try recording.changeLines(recording.part(0, of: "raw")) { $0.insert($0[2], at: 2) }
    },
    Damage(name: "a line is gone", kind: .seqHole) { recording in
      try recording.changeLines(recording.part(0, of: "raw")) { $0.remove(at: 2) }
    },
    Damage(name: "the first line is gone", kind: .seqHole) { recording in
      try recording.changeLines(recording.part(0, of: "raw")) { $0.removeFirst() }
    },
    Damage(name: "the last line is gone", kind: .missingEnd) { recording in
      try recording.changeLines(recording.part(-1, of: "raw")) { $0.removeLast() }
    },
    Damage(name: "the gap between two runs is gone", kind: .undeclaredDownTime) { recording in
      for path in recording.disk.paths where path.hasPrefix("ch=raw/") {
        try recording.changeLines(path) { $0.removeAll { $0.contains("process_down") } }
      }
    },
    Damage(name: "a line of another run", kind: .wrongRun) { recording in
      try recording.changeLine(of: "raw") {
        $0.replacing("\"run\":\"01", with: "\"run\":\"02")
      }
    },
    Damage(name: "an empty line", kind: .emptyLine) { recording in
      try recording.changeLines(recording.part(0, of: "quote")) { $0.insert("", at: 1) }
    },
    Damage(name: "a line without end", kind: .lineTooLong) { recording in
      try recording.changeLine(of: "raw") {
        $0.replacing("\"msg\":\"", with: "\"msg\":\"" + String(repeating: "x", count: 200_000))
      }
    },
    Damage(name: "a column is missing", kind: .wrongColumns) { recording in
      try recording.changeLine(of: "quote") { $0.replacing("\"ask_size\":null,", with: "") }
    },
    Damage(name: "columns are in another order", kind: .wrongColumns) { recording in
      try recording.changeLine(of: "raw") {
        $0.replacing("\"b64\":null,\"redacted\":false", with: "\"redacted\":false,\"b64\":null")
      }
    },
    Damage(name: "a column too many", kind: .wrongColumns) { recording in
      try recording.changeLine(of: "raw") { $0.dropLast() + ",\"more\":1}" }
    },
    Damage(name: "no run and no number", kind: .wrongColumns) { recording in
      try recording.changeLine(of: "raw") { _ in "{\"v\":1}" }
    },
    Damage(name: "a price without a point", kind: .wrongType) { recording in
      try recording.changeLine(of: "quote") {
        $0.replacing("\"bid_size\":null", with: "\"bid_size\":150")
      }
    },
    Damage(name: "a number as a string", kind: .wrongType) { recording in
      try recording.changeLine(of: "raw") {
        $0.replacing("\"mono\":", with: "\"mono\":\"1\",\"x\":")
      }
    },
    Damage(name: "a line of another day", kind: .wrongDay) { recording in
      try recording.changeLine(of: "raw") { $0.replacing("\"ts_recv\":17", with: "\"ts_recv\":16") }
    },
    Damage(name: "a line of another instrument", kind: .wrongSymbol) { recording in
      try recording.changeLine(of: "quote") {
        $0.replacing("\"symbol\":\"", with: "\"symbol\":\"X")
      }
    },
    Damage(name: "a quote of no message", kind: .notInLog) { recording in
      try recording.changeLine(of: "quote") { $0.replacing("\"seq\":", with: "\"seq\":9000") }
    },
    Damage(name: "the clock is set back", kind: .clockSetBack) { recording in
      try recording.changeLine(of: "raw", with: "\"dir\":\"in\"") {
        $0.replacing("\"ts_recv\":17954000", with: "\"ts_recv\":17954009")
      }
    },
    Damage(name: "the monotonic clock goes back", kind: .timeBackwards) { recording in
      try recording.changeLine(of: "raw", with: "\"dir\":\"in\"") {
        $0.replacing("\"mono\":", with: "\"mono\":1")
      }
    },
  ]

  private static let inMembers: [Damage] = [
    Damage(name: "a member ends early", kind: .damagedMember, isCompressed: true) { recording in
      try recording.change(recording.part(0, of: "raw")) { $0.removeLast(10) }
    },
    Damage(name: "a bit of a member is flipped", kind: .damagedMember, isCompressed: true) {
      recording in
      try recording.change(recording.part(0, of: "raw")) { $0[$0.count / 2] ^= 4 }
    },
    Damage(name: "the checksum of a member", kind: .damagedMember, isCompressed: true) {
      recording in
      try recording.change(recording.part(0, of: "raw")) { $0[$0.count - 6] ^= 1 }
    },
    Damage(name: "the header of a member", kind: .damagedMember, isCompressed: true) { recording in
      try recording.change(recording.part(0, of: "quote")) { $0[0] = 0 }
    },
    Damage(name: "something behind the last member", kind: .damagedMember, isCompressed: true) {
      recording in
      try recording.change(recording.part(0, of: "raw")) { $0 += Array("something".utf8) }
    },
    Damage(name: "a member cut before a good one", kind: .damagedMember, isCompressed: true) {
      recording in
      let good = recording.disk.bytes(try recording.part(1, of: "raw")) ?? []
      try recording.change(recording.part(0, of: "raw")) { $0 = $0.dropLast(30) + good }
    },
    Damage(name: "a member tells a wrong number of lines", kind: .wrongMember, isCompressed: true) {
      recording in
      try recording.change(recording.part(0, of: "raw")) { $0[GzipMember.headerLength - 8] ^= 1 }
    },
  ]

  private static let inFrames: [Damage] =
    PartCodec.zstd.unavailability != nil
    ? []
    : [
      Damage(name: "a frame ends early", kind: .damagedMember, isZstd: true) { recording in
        try recording.change(recording.part(0, of: "raw")) { $0.removeLast(50) }
      },
      Damage(name: "a summary ends early", kind: .damagedMember, isZstd: true) { recording in
        try recording.change(recording.part(0, of: "raw")) { $0.removeLast(10) }
      },
      Damage(name: "a bit of a frame is flipped", kind: .damagedMember, isZstd: true) { recording in
        try recording.change(recording.part(0, of: "raw")) { $0[$0.count / 2] ^= 4 }
      },
      Damage(name: "the magic number of a frame", kind: .damagedMember, isZstd: true) { recording in
        try recording.change(recording.part(0, of: "quote")) { $0[0] = 0 }
      },
      Damage(name: "something behind the last frame", kind: .damagedMember, isZstd: true) {
        recording in
        try recording.change(recording.part(0, of: "raw")) { $0 += Array("something".utf8) }
      },
      Damage(name: "a frame cut before a good one", kind: .damagedMember, isZstd: true) {
        recording in
        let good = recording.disk.bytes(try recording.part(1, of: "raw")) ?? []
        try recording.change(recording.part(0, of: "raw")) { $0 = $0.dropLast(60) + good }
      },
      Damage(name: "a summary tells a wrong number", kind: .wrongMember, isZstd: true) {
        recording in
        try recording.change(recording.part(0, of: "raw")) { $0[$0.count - 8] ^= 1 }
      },
    ]

  private static let inFiles: [Damage] = [
    Damage(name: "a part of the log is gone", kind: .missingPart) { recording in
      recording.disk.set(try recording.part(1, of: "raw"), nil)
    },
    Damage(name: "a part of the quotes is gone", kind: .differsFromLog) { recording in
      recording.disk.set(try recording.part(0, of: "quote"), nil)
    },
    Damage(name: "an empty part", kind: .emptyPart) { recording in
      let part = try recording.part(0, of: "raw").replacing("-000001.", with: "-000099.")
      recording.disk.set(part, [])
    },
    Damage(name: "a draft", kind: .leftover, heals: true) { recording in
      recording.disk.set(try recording.part(0, of: "raw") + ".gz.new", [1, 2, 3])
    },
    Damage(name: "a part is there twice", kind: .doublePart, isCompressed: true, heals: true) {
      recording in
      let path = try recording.part(0, of: "raw")
      var plain: [UInt8] = []
      _ = try PartReader(path, storage: recording.disk).forEachLine { line in
        plain += Array(line.bytes) + [UInt8(ascii: "\n")]
      }
      recording.disk.set(String(path.dropLast(3)), plain)
    },
    Damage(name: "a file that is no part", kind: .unknownFile) { recording in
      recording.disk.set("ch=raw/date=2026-11-23/notes.txt", [1])
    },
    Damage(name: "a channel that there is not", kind: .unknownFile) { recording in
      let name = try recording.part(0, of: "raw").replacing("ch=raw", with: "ch=nothing")
      recording.disk.set(name, Array("{}\n".utf8))
    },
    Damage(name: "a run without a record", kind: .missingRun) { recording in
      try recording.removeRun()
    },
    Damage(name: "half of a run's record", kind: .badRun) { recording in
      try recording.change(recording.run()) { $0.removeLast($0.count / 2) }
    },
    Damage(name: "a run that has not ended", kind: .unfinishedRun, heals: true) { recording in
      try recording.changeLines(recording.run()) { lines in
        lines[0] = lines[0].replacing("\"ts_end\":1", with: "\"ts_end\":null,\"was\":1")
      }
    },
  ]

  private static let inLedgers: [Damage] = [
    Damage(name: "no manifest", kind: .missingManifest, isCompressed: true, heals: true) {
      $0.disk.set("_manifest.ndjson", nil)
    },
    Damage(name: "a torn manifest", kind: .tornLine, isCompressed: true, heals: true) {
      try $0.change("_manifest.ndjson") { $0.removeLast(30) }
    },
    Damage(name: "a line of the manifest says nothing", kind: .badManifestLine, heals: true) {
      try $0.changeLines("_manifest.ndjson") { $0.insert("{\"v\":1}", at: 1) }
    },
    Damage(
      name: "a line of the manifest is gone",
      kind: .unlistedPart,
      isCompressed: true,
      heals: true
    ) { try $0.changeLines("_manifest.ndjson") { $0.remove(at: 1) } },
    Damage(name: "another digest in the manifest", kind: .wrongDigest) {
      try $0.changeLines("_manifest.ndjson") { lines in
        lines[0] = lines[0].replacing("\"sha256\":\"", with: "\"sha256\":\"00")
      }
    },
    Damage(name: "another length in the manifest", kind: .wrongSize) {
      try $0.changeLines("_manifest.ndjson") { lines in
        lines[0] = lines[0].replacing("\"bytes\":", with: "\"bytes\":1")
      }
    },
    Damage(name: "another number of lines in the manifest", kind: .wrongCounts) {
      try $0.changeLines("_manifest.ndjson") { lines in
        lines[0] = lines[0].replacing("\"lines\":", with: "\"lines\":1")
      }
    },
    Damage(name: "a torn line of the instruments", kind: .tornLine, heals: true) {
      try $0.change("instruments.ndjson") { $0 += Array("{\"v\":".utf8) }
    },
    Damage(name: "a line of the instruments says nothing", kind: .badInstrument, heals: true) {
      try $0.changeLines("instruments.ndjson") { $0.insert("{}", at: 0) }
    },
  ]
}

extension DamagedRecording {
  /// The record of the last run.
  func run() throws -> String {
    guard let path = disk.paths.last(where: { $0.hasPrefix("runs/") }) else {
      throw NothingToDamage()
    }
    return path
  }

  /// Removes the record of the last run.
  func removeRun() throws {
    disk.set(try run(), nil)
  }
}
