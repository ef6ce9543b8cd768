// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import WebSocketProtocol

/// One conversation: what the peer sends, what must come out, whichever role receives it and
/// wherever the stream is cut.
struct ReceivingCase: Sendable, CustomTestStringConvertible {
  let name: String
  let frames: [WireFrame]
  var events: [Transcript.Event] = []
  var failure: CloseCode?
  var text = TextPolicy.strict

  var testDescription: String { name }
  var expected: Transcript { Transcript(events: events, failure: failure) }
}

@Suite("Receiving (RFC 6455 sections 5 and 7)")
struct ReceivingTests {
  static let cases: [ReceivingCase] = [
    .init(name: "an empty text", frames: [.text("")], events: [.text("")]),
    .init(name: "a text", frames: [.text("Hello")], events: [.text("Hello")]),
    .init(name: "an empty binary", frames: [.binary([])], events: [.binary([])]),
    .init(
      name: "126 bytes",
      frames: [.binary([UInt8](repeating: 7, count: 126))],
      events: [.binary([UInt8](repeating: 7, count: 126))]
    ),
    .init(
      name: "two messages",
      frames: [.text("a"), .binary([0xFF])],
      events: [.text("a"), .binary([0xFF])]
    ),
    .init(
      name: "5.4: two fragments",
      frames: [.text("Hel", fin: false), .continuation("lo")],
      events: [.text("Hello")]
    ),
    .init(
      name: "5.4: empty fragments count for nothing",
      frames: [
        .text("", fin: false), .continuation("", fin: false), .continuation("x", fin: false),
        .continuation(""),
      ],
      events: [.text("x")]
    ),
    .init(
      name: "5.4: control frames between fragments come first",
      frames: [
        .text("Hel", fin: false), .ping("p"), .pong("q"), .continuation("lo"), .binary([1]),
      ],
      events: [.ping("p"), .pong("q"), .text("Hello"), .binary([1])]
    ),
    .init(
      name: "5.4: a character cut by a fragment",
      frames: [
        WireFrame(opcode: 1, payload: [0xE6], fin: false),
        WireFrame(opcode: 0, payload: [0x97, 0xA5]),
      ],
      events: [.text("日")]
    ),
    .init(
      name: "5.4: a continuation of nothing",
      frames: [.text("a"), .continuation("b")],
      events: [.text("a")],
      failure: .protocolError
    ),
    .init(
      name: "5.4: a message inside a message",
      frames: [.text("a", fin: false), .text("b")],
      failure: .protocolError
    ),
    .init(
      name: "5.4: a binary inside a text",
      frames: [.text("a", fin: false), .ping(), .binary([1])],
      events: [.ping("")],
      failure: .protocolError
    ),
    .init(
      name: "5.2: RSV1 without an extension",
      frames: [.text("a"), WireFrame(opcode: 1, payload: [1], rsv: 4)],
      events: [.text("a")],
      failure: .protocolError
    ),
    .init(
      name: "5.2: RSV1 on a continuation",
      frames: [.text("a", fin: false), WireFrame(opcode: 0, payload: [1], rsv: 4)],
      failure: .protocolError
    ),
    .init(
      name: "5.2: RSV1 on a ping",
      frames: [WireFrame(opcode: 9, rsv: 4)],
      failure: .protocolError
    ),
    .init(
      name: "5.2: RSV2",
      frames: [WireFrame(opcode: 2, rsv: 2)],
      failure: .protocolError
    ),
    .init(
      name: "5.2: a reserved opcode after a message",
      frames: [.text("a"), WireFrame(opcode: 3)],
      events: [.text("a")],
      failure: .protocolError
    ),
    .init(
      name: "5.2: a length that is not minimal",
      frames: [WireFrame(opcode: 2, payload: [1, 2], lengthBytes: 2)],
      failure: .protocolError
    ),
    .init(
      name: "5.2: a length with its highest bit set",
      frames: [WireFrame(opcode: 2, announced: 1 << 63)],
      failure: .protocolError
    ),
    .init(
      name: "10.4: a length of 2^62",
      frames: [.ping(), WireFrame(opcode: 2, announced: 1 << 62)],
      events: [.ping("")],
      failure: .messageTooBig
    ),
    .init(
      name: "5.5: a fragmented ping",
      frames: [WireFrame(opcode: 9, fin: false)],
      failure: .protocolError
    ),
    .init(
      name: "5.5: a ping of 126 bytes",
      frames: [WireFrame(opcode: 9, payload: [UInt8](repeating: 1, count: 126))],
      failure: .protocolError
    ),
    .init(
      name: "5.5: a ping of 125 bytes",
      frames: [.ping(String(repeating: "x", count: 125))],
      events: [.ping(String(repeating: "x", count: 125))]
    ),
    .init(
      name: "5.5.1: a close frame without a body",
      frames: [.text("a"), .emptyClose],
      events: [.text("a"), .close(.emptyClose)]
    ),
    .init(
      name: "5.5.1: a close frame with a reason",
      frames: [.close(1000, "bye ✓")],
      events: [.close(.close(1000, "bye ✓"))]
    ),
    .init(
      name: "5.5.1: a body of one byte",
      frames: [.text("a"), WireFrame(opcode: 8, payload: [3])],
      events: [.text("a")],
      failure: .protocolError
    ),
    .init(
      name: "5.5.1: a reason that is not UTF-8",
      frames: [.close(1000, [0xCE, 0xBA, 0xE1])],
      failure: .invalidPayload
    ),
    .init(
      name: "5.5.1: what follows a close frame is ignored, whatever it is",
      frames: [.close(1001), .text("late"), WireFrame(opcode: 7, rsv: 7), .ping()],
      events: [.close(.close(1001))]
    ),
    .init(
      name: "5.5.1: a close frame in the middle of a message ends it",
      frames: [.text("part", fin: false), .close(1000), .continuation("rest")],
      events: [.close(.close(1000))]
    ),
    .init(
      name: "7.1.7: what follows a breach is ignored",
      frames: [.text("a"), WireFrame(opcode: 3), .text("b"), .close(1000)],
      events: [.text("a")],
      failure: .protocolError
    ),
    .init(
      name: "8.1: a text that is not UTF-8",
      frames: [.text("a"), WireFrame(opcode: 1, payload: [0x61, 0xFF, 0x62]), .text("b")],
      events: [.text("a")],
      failure: .invalidPayload
    ),
    .init(
      name: "8.1: a text that ends inside a character",
      frames: [WireFrame(opcode: 1, payload: [0xE6, 0x97])],
      failure: .invalidPayload
    ),
    .init(
      name: "8.1: shown by the first fragment",
      frames: [.text("a"), WireFrame(opcode: 1, payload: [0xED, 0xA0], fin: false)],
      events: [.text("a")],
      failure: .invalidPayload
    ),
    .init(
      name: "8.1 tolerated: delivered as it is, and the connection goes on",
      frames: [WireFrame(opcode: 1, payload: [0x61, 0xFF]), .text("b")],
      events: [.init(kind: .text, bytes: [0x61, 0xFF], isValidUTF8: false), .text("b")],
      text: .tolerant
    ),
    .init(
      name: "8.1 tolerated: in fragments",
      frames: [
        WireFrame(opcode: 1, payload: [0xFF], fin: false), .continuation("b"),
        .text("c", fin: false), .continuation("d"),
      ],
      events: [.init(kind: .text, bytes: [0xFF, 0x62], isValidUTF8: false), .text("cd")],
      text: .tolerant
    ),
  ]

  static func machine(_ role: Role, _ text: TextPolicy = .strict) -> ConnectionMachine {
    ConnectionMachine(role: role, text: text, keys: MaskingKeySource(SeededGenerator(1)))
  }

  @Test("In one piece, cut in two everywhere, and byte by byte", arguments: cases)
  func conversation(case test: ReceivingCase) {
    for role in [Role.client, .server] {
      let bytes = test.frames.bytes(to: role)
      var whole = Self.machine(role, test.text)
      #expect(whole.transcript(of: bytes) == test.expected, "\(role)")
      for cut in 1..<max(2, bytes.count) {
        var machine = Self.machine(role, test.text)
        let transcript = machine.transcript(of: bytes, pieces: [cut])
        #expect(transcript == test.expected, "\(role), cut at \(cut)")
      }
      var machine = Self.machine(role, test.text)
      let pieces = [Int](repeating: 1, count: bytes.count)
      #expect(machine.transcript(of: bytes, pieces: pieces) == test.expected, "\(role), bytewise")
      let reference = ReferenceParser(receiver: role, limits: Limits(), text: test.text)
      #expect(reference.transcript(of: bytes) == test.expected, "\(role), reference")
    }
  }

  @Test("5.1: a client refuses masked frames, a server unmasked ones", arguments: [0, 5, 200])
  func masking(length: Int) {
    let frame = WireFrame.binary([UInt8](repeating: 9, count: length))
    var client = Self.machine(.client)
    #expect(client.transcript(of: frame.bytes(to: .server)).failure == .protocolError)
    var server = Self.machine(.server)
    #expect(server.transcript(of: frame.bytes(to: .client)).failure == .protocolError)
  }

  @Test("8.1: strict text fails at the offending byte, in the middle of a frame")
  func failsFast() {
    let text = Array("Hello-µ@ßöäüàá-UTF-8!! κόσμε".utf8) + [0xED, 0xA0]
    let frame = WireFrame(opcode: 1, payload: text + [0x80] + Array("edited".utf8))
    let bytes = frame.bytes(to: .client)
    let header = bytes.count - frame.payload.count
    var machine = Self.machine(.client)
    var transcript = Transcript()
    machine.feed(Array(bytes.prefix(header + text.count - 1)), into: &transcript)
    #expect(transcript == Transcript())
    machine.feed([bytes[header + text.count - 1]], into: &transcript)
    #expect(transcript.failure == .invalidPayload)
  }

  @Test("7.1.5: a stream that ends without a close frame is abnormal, after what came before")
  func endOfStream() {
    for role in [Role.client, .server] {
      var empty = Self.machine(role)
      #expect(empty.transcriptToEnd(of: []) == Transcript(failure: .abnormal))
      var cut = Self.machine(role)
      let frames = [WireFrame.text("a"), .text("bc")].bytes(to: role)
      #expect(
        cut.transcriptToEnd(of: frames.dropLast())
          == Transcript(events: [.text("a")], failure: .abnormal)
      )
      var clean = Self.machine(role)
      #expect(clean.transcriptToEnd(of: [WireFrame.close(1000)].bytes(to: role)).failure == nil)
      #expect(clean.isReadingOver == true)
    }
  }

  @Test("7.4: every close code, received", arguments: [Role.client, .server])
  func closeCodes(role: Role) {
    for code in UInt16(0)...5100 {
      let isAllowed: Bool =
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
      var machine = Self.machine(role)
      let transcript = machine.transcript(of: [WireFrame.close(code)].bytes(to: role))
      #expect(transcript.failure == (isAllowed ? nil : .protocolError), "\(code)")
      #expect(machine.closeReceived?.code?.rawValue == (isAllowed ? code : nil))
      // 5.5.1: the answer has the same code; a breach is answered with 1002.
      #expect(machine.closeSent?.code?.rawValue == (isAllowed ? code : 1002))
    }
  }
}
