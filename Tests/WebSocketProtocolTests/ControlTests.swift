// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import WebSocketProtocol

@Suite("Pings, pongs and closing (RFC 6455 sections 5.5 and 7)")
struct ControlTests {
  /// What a machine wrote, as its peer reads it.
  static func reading(_ output: [UInt8], from role: Role) -> Transcript {
    var peer = ConnectionMachine(role: role == .client ? .server : .client)
    return peer.transcript(of: output)
  }

  @Test("5.5.2: every ping is answered with its payload", arguments: [Role.client, .server])
  func pongs(role: Role) {
    var machine = ConnectionMachine(role: role)
    let frames = (0..<10).map { WireFrame.ping("ping \($0)") }
    _ = machine.transcript(of: frames.bytes(to: role))
    let answers = Self.reading(machine.takeOutput(), from: role)
    #expect(answers.events == (0..<10).map { .pong("ping \($0)") })
  }

  @Test("5.5.3: a pong is not answered")
  func unsolicitedPong() {
    var machine = ConnectionMachine(role: .client)
    _ = machine.transcript(of: [WireFrame.pong("x")].bytes(to: .client))
    #expect(machine.pendingOutput == 0)
  }

  @Test("5.5.3: while output is blocked only the latest ping will be answered")
  func blockedOutput() throws {
    var machine = ConnectionMachine(role: .client)
    try machine.send(text: "waiting")
    machine.outputWouldBlock()
    let before = machine.pendingOutput
    for number in 0..<10_000 {
      _ = machine.transcript(of: [WireFrame.ping("\(number)")].bytes(to: .client))
    }
    #expect(machine.pendingOutput == before)
    let first = machine.takeOutput()
    #expect(Self.reading(first, from: .client).events == [.text("waiting")])
    #expect(Self.reading(machine.takeOutput(), from: .client).events == [.pong("9999")])
  }

  @Test("What is sent of the machine's own accord can be logged, each frame once")
  func answersAreTold() throws {
    var machine = ConnectionMachine(role: .client)
    _ = machine.transcript(of: [WireFrame.ping("a"), .text("b"), .ping("c")].bytes(to: .client))
    #expect(machine.takeAnswers().map(\.payload) == [Array("a".utf8), Array("c".utf8)])
    // A ping that cannot be answered at once is told when it is.
    try machine.send(text: "waiting")
    machine.outputWouldBlock()
    _ = machine.transcript(of: [WireFrame.ping("late")].bytes(to: .client))
    #expect(machine.takeAnswers() == [])
    _ = machine.takeOutput()
    #expect(machine.takeAnswers() == [ControlFrame(kind: .pong, payload: Array("late".utf8))])
    _ = machine.transcript(of: [WireFrame.close(4321, "bye")].bytes(to: .client))
    #expect(machine.takeAnswers() == [ControlFrame(kind: .close, payload: [0x10, 0xE1])])
    #expect(machine.takeAnswers() == [])
  }

  @Test("A close frame of our own is no answer; one for a breach is")
  func closesAreTold() throws {
    var asked = ConnectionMachine(role: .client)
    try asked.close(.normal)
    #expect(asked.takeAnswers() == [])
    var breached = ConnectionMachine(role: .client)
    _ = breached.transcript(of: [WireFrame.continuation("x")].bytes(to: .client))
    #expect(breached.takeAnswers() == [ControlFrame(kind: .close, payload: [0x03, 0xEA])])
  }

  @Test("A flood of pings stops parsing until the pongs are written; none is left out")
  func pingFlood() {
    var machine = ConnectionMachine(role: .client)
    let flood = [WireFrame](repeating: .ping("0123456789"), count: 10_000).bytes(to: .client)
    var pings = 0
    var pongs = 0
    var highest = 0
    var start = 0
    while start < flood.count {
      start += machine.receive(flood[start...])
      while let batch = try? machine.takeBatch() {
        pings += batch.count
        highest = max(highest, machine.pendingOutput)
        pongs += Self.reading(machine.takeOutput(), from: .client).events.count
      }
    }
    #expect(pings == 10_000)
    #expect(pongs == 10_000)
    #expect(highest < 70_000)
  }

  @Test("5.5.1: a close frame is answered with its code", arguments: [Role.client, .server])
  func closeAnswer(role: Role) throws {
    for frame in [WireFrame.close(1000, "bye"), .close(4321), .emptyClose] {
      var machine = ConnectionMachine(role: role)
      _ = machine.transcript(of: [frame].bytes(to: role))
      #expect(machine.isClosed == true)
      let answer = Self.reading(machine.takeOutput(), from: role)
      let expected = WireFrame(opcode: 8, payload: Array(frame.payload.prefix(2)))
      #expect(answer.events == [.close(expected)])
      #expect(throws: ProtocolError.self) { try machine.send(text: "late") }
    }
  }

  @Test("7.1.2: closing first; messages still arrive, pings are no longer answered")
  func closeFirst() throws {
    var machine = ConnectionMachine(role: .client)
    try machine.close(.goingAway, reason: "done")
    try machine.close(.normal)
    let output = machine.takeOutput()
    #expect(Self.reading(output, from: .client).events == [.close(.close(1001, "done"))])
    #expect(machine.isClosed == false)
    let frames = [WireFrame.text("still"), .ping(), .close(1001)]
    let transcript = machine.transcript(of: frames.bytes(to: .client))
    #expect(transcript.events.map(\.kind) == [.text, .ping, .close])
    #expect(machine.isClosed == true)
    #expect(machine.pendingOutput == 0)
    #expect(throws: ProtocolError.self) { try machine.ping([]) }
  }

  @Test("7.1.7: a breach is told to the peer, once")
  func failure() {
    var machine = ConnectionMachine(role: .server)
    let frames = [WireFrame(opcode: 3), WireFrame(opcode: 4), .close(1000)]
    var transcript = Transcript()
    machine.feed(frames.bytes(to: .server), into: &transcript)
    machine.feed(frames.bytes(to: .server), into: &transcript)
    #expect(transcript.failure == .protocolError)
    let output = machine.takeOutput()
    #expect(Self.reading(output, from: .server).events == [.close(.close(1002))])
    #expect(machine.closeReceived == nil)
  }

  @Test("7.4: what no close frame can carry is refused")
  func invalidClose() throws {
    for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] as [UInt16] {
      var machine = ConnectionMachine(role: .client)
      let error = #expect(throws: ProtocolError.self) {
        try machine.close(CloseCode(rawValue: code))
      }
      #expect(error?.code == .invalidArgument)
      #expect(machine.pendingOutput == 0)
    }
    var machine = ConnectionMachine(role: .client)
    let long = String(repeating: "é", count: 62)
    #expect(throws: ProtocolError.self) { try machine.close(.normal, reason: long) }
    #expect(throws: ProtocolError.self) { try machine.close(nil, reason: "no code") }
    try machine.close(.normal, reason: String(long.dropLast()))
    #expect(Self.reading(machine.takeOutput(), from: .client).events.count == 1)
  }

  @Test("5.5: a ping carries at most 125 bytes")
  func longPing() throws {
    var machine = ConnectionMachine(role: .client)
    #expect(throws: ProtocolError.self) { try machine.ping([UInt8](repeating: 0, count: 126)) }
    try machine.ping([UInt8](repeating: 0, count: 125))
  }
}
