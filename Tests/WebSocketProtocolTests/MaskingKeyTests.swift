// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import WebSocketProtocol

@Suite("Masking (RFC 6455 section 5.3)")
struct MaskingKeyTests {
  @Test("In any pieces, as the formula of the RFC says", arguments: [0, 1, 3, 4, 7, 8, 9, 16, 61])
  func formula(length: Int) {
    let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
    let original = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let expected = original.enumerated().map { $1 ^ key[$0 % 4] }
    for cut in 0...length {
      var bytes = original
      bytes.withUnsafeMutableBytes { all in
        let key = MaskingKey(bits: 0x3D21_FA37)
        key.apply(to: UnsafeMutableRawBufferPointer(rebasing: all[..<cut]))
        key.apply(to: UnsafeMutableRawBufferPointer(rebasing: all[cut...]), offset: cut)
      }
      #expect(bytes == expected, "cut at \(cut)")
    }
  }

  @Test("A client uses a new key for every frame, and the bytes of keys are spread evenly")
  func keysAreFresh() throws {
    var machine = ConnectionMachine(role: .client)
    var keys: Set<UInt32> = []
    var histogram = [Int](repeating: 0, count: 256)
    let frames = 10_000
    for _ in 0..<frames {
      try machine.send(.binary, [])
      let frame = machine.takeOutput()
      #expect(frame.count == 6)
      let bytes = frame.suffix(4)
      keys.insert(bytes.reduce(0) { $0 << 8 | UInt32($1) })
      for byte in bytes { histogram[Int(byte)] += 1 }
    }
    // Among 10,000 random numbers of 32 bits 0.01 pairs are equal; 5 would be out of the question.
    #expect(keys.count > frames - 5)
    let expected = Double(frames * 4) / 256
    let chiSquare = histogram.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) }
    // 255 degrees of freedom: mean 255, standard deviation 22.6; this is 9 of them away.
    #expect(chiSquare / expected < 460)
  }

  @Test("Two machines do not use the same keys")
  func keysDiffer() throws {
    var first = ConnectionMachine(role: .client)
    var second = ConnectionMachine(role: .client)
    for _ in 0..<4 {
      try first.send(.binary, [])
      try second.send(.binary, [])
    }
    #expect(first.takeOutput() != second.takeOutput())
  }

  @Test("A server masks nothing")
  func serverDoesNotMask() throws {
    var machine = ConnectionMachine(role: .server)
    try machine.send(text: "Hello")
    #expect(machine.takeOutput() == [0x81, 0x05] + Array("Hello".utf8))
  }
}
