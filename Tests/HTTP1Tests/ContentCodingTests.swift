// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import CZlib
import HTTP1
import Testing

@Suite struct ContentCodingTests {
  /// Compresses with zlib; window bits choose the format: 31 gzip, 15 zlib, -15 bare deflate.
  static func compress(_ bytes: [UInt8], windowBits: Int32) -> [UInt8] {
    var stream = z_stream()
    guard czlib_deflate_init(&stream, 9, windowBits, 8) == Z_OK else { return [] }
    defer { deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: bytes.count + bytes.count / 8 + 256)
    return input.withUnsafeMutableBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        stream.next_in = input.baseAddress
        stream.avail_in = UInt32(input.count)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(output.count)
        #expect(deflate(&stream, Z_FINISH) == Z_STREAM_END)
        return Array(output[..<Int(stream.total_out)])
      }
    }
  }

  static func inflate(
    _ compressed: [UInt8],
    _ coding: ContentCoding,
    pieces size: Int = .max,
    limit: Int = 16 << 20
  ) throws(HTTPError) -> [UInt8] {
    var decoder = try BodyDecoder(
      framing: .untilClose,
      coding: coding,
      limits: HTTPLimits(bodyBytes: limit)
    )
    var pending = compressed[...]
    while !pending.isEmpty {
      _ = try decoder.decode(Array(pending.prefix(size)).span)
      pending = pending.dropFirst(size)
    }
    try decoder.endOfConnection()
    return decoder.takeBody()
  }

  static let formats: [(ContentCoding, Int32)] = [(.gzip, 31), (.deflate, 15), (.deflate, -15)]

  @Test(arguments: 0..<40)
  func givesBackWhatWasCompressed(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let count = Int.random(in: 0...60_000, using: &random)
    let alphabet = UInt8.random(in: 0...255, using: &random)
    let body = (0..<count).map { _ in UInt8.random(in: 0...alphabet, using: &random) }
    for (coding, windowBits) in Self.formats {
      let compressed = Self.compress(body, windowBits: windowBits)
      let size = Int.random(in: 1...9000, using: &random)
      #expect(try Self.inflate(compressed, coding, pieces: size) == body)
    }
  }

  @Test(arguments: formats.indices)
  func everySplitAndEveryCut(format: Int) throws {
    let (coding, windowBits) = Self.formats[format]
    let body = Array("the same, the same, the same, and then another".utf8)
    let compressed = Self.compress(body, windowBits: windowBits)
    for size in 1...compressed.count {
      #expect(try Self.inflate(compressed, coding, pieces: size) == body)
    }
    for cut in 1..<compressed.count {
      let code = refusal { try Self.inflate(Array(compressed[..<cut]), coding) }
      #expect(code == .corruptContent, "cut at \(cut)")
    }
  }

  @Test(arguments: formats.indices)
  func aBombStopsAtTheLimit(format: Int) {
    let (coding, windowBits) = Self.formats[format]
    let bomb = Self.compress([UInt8](repeating: 0, count: 1 << 20), windowBits: windowBits)
    #expect(bomb.count < 2000)
    for size in [Int.max, 1] {
      let code = refusal { try Self.inflate(bomb, coding, pieces: size, limit: (1 << 20) - 1) }
      #expect(code == .bodyTooLarge)
    }
    #expect(refusal { try Self.inflate(bomb, coding, limit: 1 << 20) } == nil)
  }

  @Test func readsSeveralGzipMembers() throws {
    let member = Self.compress(Array("ab".utf8), windowBits: 31)
    for size in [1, 5, member.count, Int.max] {
      let content = try Self.inflate(member + member + member, .gzip, pieces: size)
      #expect(content == Array("ababab".utf8))
    }
  }

  @Test func refusesBytesAfterTheEnd() {
    let gzip = Self.compress([1, 2, 3], windowBits: 31) + Array("garbage".utf8)
    #expect(refusal { try Self.inflate(gzip, .gzip) } == .corruptContent)
    let zlib = Self.compress([1, 2, 3], windowBits: 15) + [0]
    #expect(refusal { try Self.inflate(zlib, .deflate) } == .corruptContent)
  }

  @Test func aFlippedBitIsFoundByTheChecksum() {
    let body = Array("a body with a checksum".utf8)
    for windowBits in [Int32(31), 15] {
      var compressed = Self.compress(body, windowBits: windowBits)
      compressed[compressed.count - 5] ^= 1
      let coding: ContentCoding = windowBits == 31 ? .gzip : .deflate
      let outcome = Result { try Self.inflate(compressed, coding) }
      #expect(throws: HTTPError.self) { try outcome.get() }
    }
  }
}
