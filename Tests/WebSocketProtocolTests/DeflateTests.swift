// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import WebSocketProtocol

/// Parameters with a name for the test's report.
struct DeflateSetting: Sendable, CustomTestStringConvertible {
  var parameters: DeflateParameters

  var testDescription: String {
    let p = parameters
    return "windows \(p.clientMaxWindowBits)/\(p.serverMaxWindowBits), takeover "
      + "\(!p.clientNoContextTakeover)/\(!p.serverNoContextTakeover)"
  }
}

@Suite("permessage-deflate (RFC 7692)")
struct DeflateTests {
  /// Every window with and without context takeover.
  static let settings: [DeflateSetting] = DeflateParameters.windowBits.flatMap { bits in
    [false, true].flatMap { client in
      [false, true].map { server in
        var parameters = DeflateParameters()
        parameters.clientMaxWindowBits = bits
        parameters.serverMaxWindowBits = 23 - bits
        parameters.clientNoContextTakeover = client
        parameters.serverNoContextTakeover = server
        return DeflateSetting(parameters: parameters)
      }
    }
  }

  static func messages(seed: UInt64) -> [[UInt8]] {
    var random = SeededGenerator(seed)
    let price = #"{"server_id":"q0","conid":265598,"_updated":1700000000000,"31":"150.25"}"#
    return (0..<12).map { round in
      switch round % 4 {
      case 0: Array(String(repeating: price, count: round).utf8)
      case 1: (0..<round * 700).map { _ in UInt8.random(in: 0...255, using: &random) }
      case 2: (0..<round * 900).map { _ in UInt8.random(in: 97...100, using: &random) }
      default: []
      }
    }
  }

  @Test("Both directions, all parameters, whole and fragmented", arguments: settings)
  func roundTrip(setting: DeflateSetting) throws {
    for largest in [Int.max, 37] {
      var client = ConnectionMachine(
        role: .client,
        deflate: setting.parameters,
        largestSentFrame: largest
      )
      var server = ConnectionMachine(
        role: .server,
        deflate: setting.parameters,
        largestSentFrame: largest
      )
      for message in Self.messages(seed: 3) {
        try client.send(.binary, message)
        let toServer = client.takeOutput()
        #expect(toServer[0] & 0x40 != 0)
        #expect(server.transcript(of: toServer) == Transcript(events: [.binary(message)]))
        try server.send(.binary, message)
        let pieces = [Int](repeating: 11, count: 100)
        #expect(
          client.transcript(of: server.takeOutput(), pieces: pieces)
            == Transcript(events: [.binary(message)])
        )
      }
    }
  }

  static func inflating(_ parameters: DeflateParameters = DeflateParameters(), limit: Int = 1 << 24)
    -> ConnectionMachine
  {
    ConnectionMachine(
      role: .client,
      limits: Limits(message: limit, frame: limit),
      deflate: parameters
    )
  }

  static func compressed(_ payload: [UInt8], opcode: UInt8 = 1, fin: Bool = true) -> [UInt8] {
    WireFrame(opcode: opcode, payload: payload, fin: fin, rsv: 4).bytes(to: .client)
  }

  static let hello: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]

  @Test("The examples of section 7.2.3")
  func examples() {
    var machine = Self.inflating()
    #expect(machine.transcript(of: Self.compressed(Self.hello)).events == [.text("Hello")])
    // 7.2.3.2: the window holds the first Hello.
    let shared: [UInt8] = [0xF2, 0x00, 0x11, 0x00, 0x00]
    #expect(machine.transcript(of: Self.compressed(shared)).events == [.text("Hello")])
    // 7.2.3.1: in two fragments.
    let fragments =
      Self.compressed(Array(Self.hello.prefix(3)), fin: false)
      + WireFrame(opcode: 0, payload: Array(Self.hello.dropFirst(3))).bytes(to: .client)
    #expect(machine.transcript(of: fragments).events == [.text("Hello")])
    // 7.2.3.3: a block without compression.
    let stored: [UInt8] =
      [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00]
    #expect(machine.transcript(of: Self.compressed(stored)).events == [.text("Hello")])
    // 7.2.3.4: a block with BFINAL.
    let final: [UInt8] = [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00]
    #expect(machine.transcript(of: Self.compressed(final)).events == [.text("Hello")])
    // 7.2.3.5: two blocks in one message.
    let two: [UInt8] =
      [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00]
    #expect(machine.transcript(of: Self.compressed(two)).events == [.text("Hello")])
    // 7.2.3.6: an empty message.
    #expect(machine.transcript(of: Self.compressed([0x00])).events == [.text("")])
  }

  @Test("A message that is not compressed may stand between compressed ones")
  func uncompressed() {
    var machine = Self.inflating()
    let bytes =
      Self.compressed(Self.hello) + WireFrame.text("plain").bytes(to: .client)
      + Self.compressed([0xF2, 0x00, 0x11, 0x00, 0x00])
    let expected: [Transcript.Event] = [.text("Hello"), .text("plain"), .text("Hello")]
    #expect(machine.transcript(of: bytes).events == expected)
  }

  @Test("Without context takeover a reference to an earlier message is an error")
  func noContextTakeover() {
    var parameters = DeflateParameters()
    parameters.serverNoContextTakeover = true
    var machine = Self.inflating(parameters)
    let bytes = Self.compressed(Self.hello) + Self.compressed([0xF2, 0x00, 0x11, 0x00, 0x00])
    #expect(
      machine.transcript(of: bytes)
        == Transcript(events: [.text("Hello")], failure: .invalidPayload)
    )
  }

  static let corruptPayloads: [(String, [UInt8])] = [
    ("an invalid block type", [0x07, 0xFF]),
    ("a reference to before the beginning", [0x02, 0x13, 0x00]),
    ("noise", [0x12, 0x34, 0x56, 0x78, 0x9A]),
    ("a stored block cut short", [0x00, 0x06, 0x00, 0xF9, 0xFF, 0x48]),
    ("a fixed block without an end", [0xF2, 0x48, 0xCD]),
  ]

  @Test("Data that does not inflate fails the connection", arguments: corruptPayloads)
  func corrupt(name: String, payload: [UInt8]) {
    for pieces in [[], [Int](repeating: 1, count: 40)] {
      var machine = Self.inflating()
      let bytes = WireFrame.text("a").bytes(to: .client) + Self.compressed(payload, opcode: 2)
      #expect(
        machine.transcript(of: bytes, pieces: pieces)
          == Transcript(events: [.text("a")], failure: .invalidPayload),
        "\(name)"
      )
    }
  }

  @Test("A reference beyond the agreed window gives the same message however it is cut")
  func beyondTheWindow() throws {
    // Found by fuzzing: the window was agreed to be 256 bytes, the message refers further back.
    let noise = (0..<600).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 >> 3) }
    let message = noise + noise
    var server = ConnectionMachine(role: .server, deflate: DeflateParameters())
    try server.send(.binary, message)
    let bytes = server.takeOutput()
    var parameters = DeflateParameters()
    parameters.serverMaxWindowBits = 8
    for pieces in [[], [Int](repeating: 1, count: bytes.count)] {
      var machine = Self.inflating(parameters)
      #expect(machine.transcript(of: bytes, pieces: pieces).events == [.binary(message)])
    }
  }

  @Test("Inflated text is checked as it comes")
  func text() throws {
    var server = ConnectionMachine(role: .server, deflate: DeflateParameters())
    try server.send(.text, Array("é".utf8) + [0xFF])
    let bytes = server.takeOutput()
    var strict = Self.inflating()
    #expect(strict.transcript(of: bytes).failure == .invalidPayload)
    var tolerant = ConnectionMachine(role: .client, text: .tolerant, deflate: DeflateParameters())
    #expect(tolerant.transcript(of: bytes).events.first?.isValidUTF8 == false)
  }

  @Test("A bomb stops at the limit, whole and fragmented", arguments: [Int.max, 100])
  func bomb(largest: Int) throws {
    var server = ConnectionMachine(
      role: .server,
      deflate: DeflateParameters(),
      largestSentFrame: largest
    )
    try server.send(.binary, [UInt8](repeating: 0, count: 5_000_000))
    let bytes = server.takeOutput()
    #expect(bytes.count < 10_000)
    let limit = 100_000
    var machine = Self.inflating(limit: limit)
    #expect(machine.transcript(of: bytes).failure == .messageTooBig)
    var exact = ConnectionMachine(role: .server, deflate: DeflateParameters())
    for (count, failure) in [(limit, nil), (limit + 1, CloseCode.messageTooBig)] {
      try exact.send(.binary, [UInt8](repeating: 0, count: count))
      var machine = Self.inflating(limit: limit)
      let transcript = machine.transcript(of: exact.takeOutput())
      #expect(transcript.failure == failure)
      #expect(transcript.events.first?.bytes.count == (failure == nil ? count : nil))
      exact = ConnectionMachine(role: .server, deflate: DeflateParameters())
    }
  }

  @Test("Many large messages from few bytes come in batches of bounded size")
  func boundedBatches() throws {
    var server = ConnectionMachine(role: .server, deflate: DeflateParameters())
    for _ in 0..<20 { try server.send(.binary, [UInt8](repeating: 0, count: 1_000_000)) }
    var machine = Self.inflating()
    let batches = try MessageBatchTests.batches(of: server.takeOutput(), machine: &machine)
    #expect(batches.map(\.count).reduce(0, +) == 20)
    #expect(batches.allSatisfy { $0.byteCount <= 2_100_000 })
  }

  @Test("RSV1 on a continuation or a control frame is an error though deflate is negotiated")
  func reservedBit() {
    for frames in [
      [WireFrame(opcode: 1, fin: false, rsv: 4), WireFrame(opcode: 0, payload: [0], rsv: 4)],
      [WireFrame(opcode: 9, rsv: 4)],
      [WireFrame(opcode: 8, rsv: 4)],
    ] {
      var machine = Self.inflating()
      #expect(machine.transcript(of: frames.bytes(to: .client)).failure == .protocolError)
    }
  }
}
