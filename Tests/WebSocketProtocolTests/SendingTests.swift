// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import WebSocketProtocol

@Suite("Sending (RFC 6455 section 6.1)")
struct SendingTests {
  @Test("Messages of every length arrive as they were sent", arguments: [Role.client, .server])
  func roundTrip(role: Role) throws {
    var sender = ConnectionMachine(role: role)
    var receiver = ConnectionMachine(role: role == .client ? .server : .client)
    var random = SeededGenerator(7)
    for length in [0, 1, 2, 125, 126, 127, 1000, 65_535, 65_536, 300_000] {
      let payload = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
      try sender.send(.binary, payload)
      let transcript = receiver.transcript(of: sender.takeOutput())
      #expect(transcript == Transcript(events: [.binary(payload)]), "\(length) bytes")
    }
  }

  @Test("5.4: long messages go out in fragments", arguments: [1, 3, 5, 100])
  func fragments(largest: Int) throws {
    var sender = ConnectionMachine(role: .server, largestSentFrame: largest)
    try sender.send(text: "Hello")
    let output = sender.takeOutput()
    let headers = (5 + largest - 1) / largest
    #expect(output.count == 5 + headers * 2)
    #expect(output[0] == (headers == 1 ? 0x81 : 0x01))
    var receiver = ConnectionMachine(role: .client)
    #expect(receiver.transcript(of: output) == Transcript(events: [.text("Hello")]))
  }

  @Test("The example of section 5.7: a masked text")
  func maskedExample() throws {
    struct Fixed: RandomNumberGenerator {
      func next() -> UInt64 { 0x3D21_FA37 }
    }
    var machine = ConnectionMachine(role: .client, keys: MaskingKeySource(Fixed()))
    try machine.send(text: "Hello")
    #expect(
      machine.takeOutput() == [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
    )
  }

  @Test("Output may be written in any pieces")
  func pieces() throws {
    var machine = ConnectionMachine(role: .server)
    try machine.send(text: "Hello")
    try machine.send(text: "World")
    var written: [UInt8] = []
    while machine.pendingOutput > 0 {
      written += machine.withOutput { Array($0.prefix(3)) }
      machine.outputWritten(min(3, machine.pendingOutput))
    }
    var receiver = ConnectionMachine(role: .client)
    #expect(receiver.transcript(of: written).events == [.text("Hello"), .text("World")])
  }
}
