// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import Testing

@testable import Recording

#if Zstd
  @Suite struct ZstdTests {
    private func part(_ members: Int) throws -> (lines: [String], bytes: [UInt8]) {
      var (lines, bytes) = ([String](), [UInt8]())
      for member in 0..<members {
        let text = (0..<5).map { "{\"seq\":\(member * 5 + $0),\"text\":\"\(member)\"}" }
        lines += text
        try Array(text.map { $0 + "\n" }.joined().utf8).withUnsafeBytes { content in
          let seq = UInt64(member * 5)...UInt64(member * 5 + 4)
          try PartCodec.zstd.append(content, count: 5, seq: seq, to: &bytes)
        }
      }
      return (lines, bytes)
    }

    private func read(_ bytes: [UInt8]) throws -> (lines: [String], PartReader.Report) {
      let storage = MemoryStorage()
      storage.with { $0.files["a.ndjson.zst"] = .init(bytes: bytes) }
      var lines: [String] = []
      let reader = PartReader("a.ndjson.zst", storage: storage, trustsMembers: false)
      let report = try reader.forEachLine { line in
        if line.isComplete { lines.append(String(decoding: line.bytes, as: UTF8.self)) }
      }
      return (lines, report)
    }

    @Test func aPartIsFramesWithSummariesBehindThem() throws {
      let (lines, bytes) = try part(3)
      // A reader that knows Zstandard by its first bytes must find those of a frame with contents.
      #expect(bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]))
      let found = try read(bytes)
      #expect(found.lines == lines)
      #expect(found.1.damages.isEmpty && found.1.liars.isEmpty)
      let first = try part(1).bytes
      let summary = first.suffix(ZstdMember.trailerLength).withUnsafeBytes {
        ZstdMember.summary(of: $0)
      }
      #expect(summary == MemberSummary(seq: 0...4, lines: 5, byteCount: first.count))
    }

    @Test(arguments: [1, 7, 36, 500])
    func itDoesNotMatterHowTheFileIsCut(_ size: Int) throws {
      let (lines, bytes) = try part(4)
      var reader = ZstdReader()
      var found: [UInt8] = []
      var (begun, ended, summaries) = (0, 0, 0)
      for start in stride(from: 0, to: bytes.count, by: size) {
        let damage = bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { piece in
          reader.feed(piece) { (piece: GzipReader.Piece) in
            switch piece {
            case .begin: begun += 1
            case .bytes(let bytes): found += bytes
            case .end: ended += 1
            case .summary: summaries += 1
            }
          }
        }
        #expect(damage == nil)
      }
      #expect(reader.finish() == nil)
      #expect(String(decoding: found, as: UTF8.self) == lines.map { $0 + "\n" }.joined())
      #expect([begun, ended, summaries] == [4, 4, 4])
    }

    /// What `zstd part.ndjson` or `cat` make has no summaries.
    @Test func framesOfOthersAreReadAsWell() throws {
      let (lines, _) = try part(6)
      var bytes: [UInt8] = []
      for line in lines {
        var member: [UInt8] = []
        try Array("\(line)\n".utf8).withUnsafeBytes {
          try PartCodec.zstd.append($0, count: 1, seq: 0...0, to: &member)
        }
        bytes += member.dropLast(ZstdMember.trailerLength)
      }
      // The last is shorter than a summary would be.
      bytes += [0x28, 0xB5, 0x2F, 0xFD, 0x20, 0x03, 0x19, 0x00, 0x00] + Array("{}\n".utf8)
      let found = try read(bytes)
      #expect(found.lines == lines + ["{}"])
      #expect(found.1.damages.isEmpty)
    }

    @Test func whereverItIsCutTheFramesBeforeAreThere() throws {
      let (lines, bytes) = try part(4)
      for end in 0..<bytes.count {
        let found = try read(Array(bytes[..<end]))
        #expect(lines.starts(with: found.lines) && found.lines.count % 5 == 0)
        // At the end of a frame or of its summary nothing is missing that could be told.
        #expect(found.1.damages.count == 1 || [0, 5, 10, 15, 20].contains(found.lines.count))
      }
    }

    @Test func ofADamagedFrameNothingIsGivenAndAllOthersAre() throws {
      let (lines, bytes) = try part(3)
      let size = bytes.count / 3
      for index in 0..<bytes.count {
        var damaged = bytes
        damaged[index] ^= 0x10
        let found = try read(damaged)
        let good = lines.enumerated().filter { $0.offset / 5 != index / size }.map(\.element)
        // Bits of a summary that nothing is compared with may be anything.
        #expect(found.lines == good || found.lines == lines, "byte \(index)")
        if found.lines != lines { #expect(!found.1.damages.isEmpty) }
      }
    }

    @Test func theRecordingIsTheSameWithEitherCodec() throws {
      let gzip = try DamagedRecording(codec: .gzip)
      let zstd = try DamagedRecording(codec: .zstd)
      #expect(zstd.disk.paths.contains { $0.hasSuffix(".ndjson.zst") })
      #expect(!zstd.disk.paths.contains { $0.hasSuffix(".gz") })
      let lines = try zstd.goodLines()
      #expect(try lines == gzip.goodLines() && lines.count > 60)
      let statistics = try RecordingStatistics(of: RecordingReader(storage: zstd.disk)).rows
      let others = try RecordingStatistics(of: RecordingReader(storage: gzip.disk)).rows
      #expect(statistics.map(\.columns) == others.map(\.columns))
      for part in try RecordingReader(storage: zstd.disk).parts() { #expect(part.isCompressed) }
    }
  }
#else
  @Suite struct ZstdTests {
    @Test func withoutTheTraitItSaysWhatToBuild() throws {
      let reason = try #require(PartCodec.zstd.unavailability)
      #expect(reason.contains("--traits Zstd") && reason.contains("libzstd-dev"))
      let storage = MemoryStorage()
      storage.with { $0.files["a.ndjson.zst"] = .init(bytes: [0x28, 0xB5, 0x2F, 0xFD]) }
      let error = #expect(throws: StorageError.self) {
        try PartReader("a.ndjson.zst", storage: storage).forEachLine { _ in }
      }
      #expect(error?.description.contains(reason) == true)
    }

    @Test func withoutTheTraitASinkRefusesAtTheStart() async throws {
      let directory = try TemporaryDirectory()
      var configuration = NDJSONFileSink.Configuration(directory: directory.path)
      configuration.codec = .zstd
      #expect(throws: StorageError.self) { try NDJSONFileSink(configuration) }
    }
  }
#endif
