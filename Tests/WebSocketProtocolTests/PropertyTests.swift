// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import WebSocketProtocol

@Suite("Any stream in any pieces gives what the reference parser gives")
struct PropertyTests {
  static let limits = Limits(message: 3000, frame: 2000, fragments: 6)

  /// A conversation of mostly valid frames.
  static func stream(to role: Role, using random: inout SeededGenerator) -> [UInt8] {
    var bytes: [UInt8] = []
    var isOpen = false
    for _ in 0..<Int.random(in: 1...12, using: &random) {
      var frame = WireFrame(opcode: 1)
      let dice = Int.random(in: 0..<100, using: &random)
      switch dice {
      case 0..<60:
        frame.opcode = isOpen ? 0 : UInt8.random(in: 1...2, using: &random)
        frame.fin = Int.random(in: 0..<3, using: &random) > 0
        isOpen = !frame.fin
      case 60..<80: frame.opcode = UInt8.random(in: 9...10, using: &random)
      case 80..<84: frame = .close(UInt16.random(in: 998...1016, using: &random), "bye")
      default:
        frame.opcode = UInt8.random(in: 0...15, using: &random)
        frame.fin = Bool.random(using: &random)
        frame.rsv = dice > 96 ? UInt8.random(in: 0...7, using: &random) : 0
        frame.lengthBytes = dice == 90 ? 2 : dice == 91 ? 8 : nil
      }
      if frame.opcode != 8 {
        let bound = frame.opcode > 8 ? 126 : [4, 130, 2100].randomElement(using: &random) ?? 4
        let count = Int.random(in: 0...bound, using: &random)
        frame.payload = (0..<count).flatMap { _ in
          Array((dice.isMultiple(of: 17) ? "é" : "x").utf8)
        }
        if dice == 50 { frame.payload.append(0xC3) }
      }
      bytes += frame.bytes(isMasked: dice == 99 ? role == .client : role == .server)
    }
    if Int.random(in: 0..<4, using: &random) == 0 {
      let index = Int.random(in: bytes.indices, using: &random)
      bytes[index] = UInt8.random(in: 0...255, using: &random)
    }
    return bytes
  }

  @Test(arguments: 0..<32 as Range<UInt64>)
  func differential(seed: UInt64) {
    var random = SeededGenerator(seed)
    for _ in 0..<12 {
      let role: Role = Bool.random(using: &random) ? .client : .server
      let text: TextPolicy = Bool.random(using: &random) ? .strict : .tolerant
      let bytes = Self.stream(to: role, using: &random)
      let reference = ReferenceParser(receiver: role, limits: Self.limits, text: text)
      let expected = reference.transcript(of: bytes)
      var pieces: [[Int]] = [[], [Int](repeating: 1, count: bytes.count)]
      for most in [3, 20, 400] {
        pieces.append(bytes.map { _ in Int.random(in: 1...most, using: &random) })
      }
      for piece in pieces {
        var machine = ConnectionMachine(role: role, limits: Self.limits, text: text)
        let transcript = machine.transcript(of: bytes, pieces: piece)
        #expect(transcript == expected, "\(role) \(text) \(bytes) in \(piece.prefix(20))")
      }
    }
  }

  @Test("Random bytes crash nothing", arguments: 0..<16 as Range<UInt64>)
  func noise(seed: UInt64) {
    var random = SeededGenerator(seed &+ 1000)
    for _ in 0..<200 {
      let bytes = (0..<Int.random(in: 1...60, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      let reference = ReferenceParser(receiver: .server, limits: Self.limits, text: .strict)
      var machine = ConnectionMachine(role: .server, limits: Self.limits)
      #expect(machine.transcript(of: bytes) == reference.transcript(of: bytes), "\(bytes)")
    }
  }
}
