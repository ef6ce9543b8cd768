// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import WebSocketProtocol

@Suite("Frame headers (RFC 6455 section 5.2)")
struct FrameHeaderTests {
  static func parse(_ bytes: [UInt8]) throws(ProtocolError) -> FrameHeader? {
    try bytes.withUnsafeBufferPointer { (all) throws(ProtocolError) in
      try FrameHeader.parse(UnsafeRawBufferPointer(all))
    }
  }

  @Test(
    "A header reads back as it was written, and needs every byte of it",
    arguments: [0, 1, 125, 126, 127, 65535, 65536, 1 << 24, Int.max]
  )
  func roundTrip(length: Int) throws {
    for key in [nil, MaskingKey(bits: 0x1234_5678)] {
      for opcode in [Opcode.continuation, .text, .binary] {
        let header = FrameHeader(
          isFinal: length.isMultiple(of: 2),
          isCompressed: opcode == .text,
          opcode: opcode,
          key: key,
          payloadLength: length
        )
        var bytes: [UInt8] = []
        header.append(to: &bytes)
        #expect(bytes.count == header.length)
        #expect(bytes.count <= FrameHeader.longest)
        #expect(try Self.parse(bytes) == header)
        for count in bytes.indices {
          #expect(try Self.parse(Array(bytes.prefix(count))) == nil)
        }
      }
    }
  }

  @Test("The examples of section 5.7")
  func examples() throws {
    let hello = try #require(try Self.parse([0x81, 0x05]))
    #expect(hello == FrameHeader(opcode: .text, payloadLength: 5))
    let masked = try #require(try Self.parse([0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D]))
    #expect(masked.key == MaskingKey(bits: 0x3D21_FA37))
    let first = try #require(try Self.parse([0x01, 0x03]))
    #expect(!first.isFinal)
    let middle = try #require(try Self.parse([0x82, 0x7E, 0x01, 0x00]))
    #expect(middle.payloadLength == 256)
    let long = try #require(try Self.parse([0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0]))
    #expect(long.payloadLength == 65536)
  }

  static let breaches: [(String, [UInt8], ProtocolError.Code)] = [
    ("RSV2", [0xA1, 0x00], .reservedBits),
    ("RSV3", [0x91, 0x00], .reservedBits),
    ("a fragmented ping", [0x09, 0x00], .controlFrame),
    ("a ping of 126 bytes", [0x89, 0x7E], .controlFrame),
    ("a masked close with a 64-bit length", [0x88, 0xFF], .controlFrame),
    ("125 in 16 bits", [0x81, 0x7E, 0, 125], .lengthEncoding),
    ("65535 in 64 bits", [0x81, 0x7F, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], .lengthEncoding),
    ("2^63", [0x81, 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 0], .lengthEncoding),
    ("2^64 - 1", [0x81, 0x7F] + [UInt8](repeating: 0xFF, count: 8), .lengthEncoding),
  ]

  @Test("What a header alone shows to be wrong", arguments: breaches)
  func breach(name: String, bytes: [UInt8], code: ProtocolError.Code) {
    let error = #expect(throws: ProtocolError.self) { try Self.parse(bytes) }
    #expect(error?.code == code, "\(name)")
  }

  @Test("Reserved opcodes", arguments: [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] as [UInt8])
  func reservedOpcode(opcode: UInt8) {
    let error = #expect(throws: ProtocolError.self) { try Self.parse([0x80 | opcode, 0]) }
    #expect(error?.code == .opcode)
  }

  @Test("Every power of two as a length, and its neighbours", arguments: 0..<64)
  func lengths(exponent: UInt64) throws {
    let power = UInt64(1) << exponent
    for length in [power - 1, power, power &+ 1] {
      let frame = WireFrame(opcode: 2, announced: length)
      let header = frame.bytes(isMasked: false)
      if length >> 63 == 1 {
        #expect(throws: ProtocolError.self) { try Self.parse(header) }
      } else {
        #expect(try Self.parse(header)?.payloadLength == Int(length))
      }
    }
  }
}
