// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import WebSocketProtocol

@Suite("Limits (RFC 6455 section 10.4)")
struct LimitTests {
  static func machine(_ limits: Limits) -> ConnectionMachine {
    ConnectionMachine(role: .client, limits: limits)
  }

  @Test(
    "A message at the limit is delivered, one byte more is not",
    arguments: [10, 4096, 200_000]
  )
  func messageLimit(limit: Int) {
    let limits = Limits(message: limit, frame: 1 << 20)
    for (excess, failure) in [(0, nil), (1, CloseCode.messageTooBig)] {
      let payload = [UInt8](repeating: 3, count: limit + excess)
      var whole = Self.machine(limits)
      let frame = WireFrame.binary(payload).bytes(to: .client)
      #expect(whole.transcript(of: frame).failure == failure)
      for first in [0, 1, limit / 2, limit] {
        var parts = Self.machine(limits)
        let frames = [
          WireFrame.binary(Array(payload.prefix(first)), fin: false),
          WireFrame(opcode: 0, payload: Array(payload.dropFirst(first))),
        ]
        let transcript = parts.transcript(of: frames.bytes(to: .client))
        #expect(transcript.failure == failure)
        #expect(transcript.events.first?.bytes == (failure == nil ? payload : nil))
      }
    }
  }

  @Test("A frame above the limit is refused when its header is there")
  func frameLimit() {
    var machine = Self.machine(Limits(message: 1000, frame: 100))
    let frame = WireFrame.binary([UInt8](repeating: 0, count: 101)).bytes(to: .client)
    #expect(machine.transcript(of: Array(frame.prefix(2))).failure == .messageTooBig)
  }

  @Test("A large announcement takes no memory", arguments: [1 << 24, 1 << 23])
  func announcements(length: UInt64) {
    var machine = Self.machine(Limits())
    let frame = WireFrame(opcode: 2, payload: [1, 2, 3], announced: length)
    #expect(machine.transcript(of: frame.bytes(to: .client)) == Transcript())
    #expect(machine.assembly.unfinished == 3)
  }

  @Test("90,000 empty fragments are one message")
  func manyFragments() {
    var machine = Self.machine(Limits())
    var bytes = WireFrame.text("", fin: false).bytes(to: .client)
    for _ in 0..<90_000 { bytes += [0x00, 0x00] }
    bytes += WireFrame.continuation("end").bytes(to: .client)
    #expect(machine.transcript(of: bytes) == Transcript(events: [.text("end")]))
  }

  @Test("A million of them are not")
  func tooManyFragments() {
    var machine = Self.machine(Limits())
    var transcript = Transcript()
    machine.feed(WireFrame.text("", fin: false).bytes(to: .client), into: &transcript)
    let thousand = [UInt8](repeating: 0, count: 2000)
    var thousands = 0
    while transcript.failure == nil, thousands < 1000 {
      machine.feed(thousand, into: &transcript)
      thousands += 1
    }
    #expect(transcript.failure == .messageTooBig)
    #expect(thousands == 100)
    #expect(machine.closeSent?.code == .messageTooBig)
  }

  @Test("Limits that make no sense are moved to the nearest that does")
  func clamped() {
    let limits = Limits(message: .max, frame: -1, fragments: 0)
    #expect(limits == Limits(message: 1 << 30, frame: 0, fragments: 1))
  }
}
