// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import Testing

@testable import WebSocketProtocol

/// An answer to the request of RFC 6455 section 1.3 and what must come of it.
struct AnswerCase: Sendable, CustomTestStringConvertible {
  let name: String
  var status = 101
  var version = HTTPVersion.http11
  var fields: [(String, String)] = AnswerCase.good
  var code: HandshakeError.Code?

  var testDescription: String { name }

  static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
  static let good = [
    ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept),
  ]

  static func without(_ name: String) -> [(String, String)] { good.filter { $0.0 != name } }

  static func with(_ name: String, _ value: String) -> [(String, String)] {
    without(name) + [(name, value)]
  }
}

@Suite("The client's opening handshake (RFC 6455 section 4.1)")
struct ClientHandshakeTests {
  /// The nonce of section 1.3.
  static let nonce = Array("the sample nonce".utf8)

  static func handshake(
    _ url: String = "wss://localhost:5000/v1/api/ws",
    fields: [(String, String)] = [],
    subprotocols: [String] = [],
    deflate: PerMessageDeflate? = nil
  ) throws -> ClientHandshake {
    try ClientHandshake(
      url: WebURL(url),
      fields: HTTPFields(fields.map { (name: $0.0, value: $0.1) }),
      subprotocols: subprotocols,
      deflate: deflate,
      nonce: nonce
    )
  }

  static func answer(_ test: AnswerCase) throws -> ResponseHead {
    try ResponseHead(
      version: test.version,
      status: test.status,
      fields: HTTPFields(test.fields.map { (name: $0.0, value: $0.1) })
    )
  }

  @Test("The request has what section 4.1 lists, and what was added")
  func request() throws {
    let handshake = try Self.handshake(
      "ws://example.com/chat?token=1",
      fields: [("Cookie", "api=x"), ("Origin", "http://example.com")],
      subprotocols: ["chat", "superchat"],
      deflate: PerMessageDeflate()
    )
    var bytes: [UInt8] = []
    handshake.request.write(to: &bytes)
    #expect(
      String(decoding: bytes, as: UTF8.self) == """
        GET /chat?token=1 HTTP/1.1\r
        Host: example.com\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
        Sec-WebSocket-Version: 13\r
        Sec-WebSocket-Protocol: chat, superchat\r
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r
        Cookie: api=x\r
        Origin: http://example.com\r
        \r

        """
    )
  }

  @Test(
    "What cannot be sent is refused before anything is",
    arguments: [
      ("Cookie", "a\r\nX: y"), ("Cookie", "a\nb"), ("Cookie", "a\0b"), ("Bad Name", "x"),
      ("X\r\nY", "z"), ("", "x"), ("X:Y", "z"),
    ]
  )
  func injection(name: String, value: String) {
    #expect(throws: HTTPError.self) { try Self.handshake(fields: [(name, value)]) }
  }

  @Test("URLs that would forge a request", arguments: [" ", "\r\n", "\0", "\t", "é", "#x"])
  func urls(text: String) {
    #expect(throws: HTTPError.self) { try Self.handshake("ws://localhost/a\(text)b") }
  }

  @Test("Subprotocols are tokens, each once", arguments: [["a b"], [""], ["a\r\n"], ["a", "a"]])
  func subprotocols(names: [String]) {
    let error = #expect(throws: HandshakeError.self) { try Self.handshake(subprotocols: names) }
    #expect(error?.code == .invalidRequest)
  }

  @Test(
    "Fields of the handshake itself are not for the caller",
    arguments: ["host", "Connection", "UPGRADE", "Sec-WebSocket-Key", "Content-Length"]
  )
  func ownFields(name: String) {
    let error = #expect(throws: HandshakeError.self) { try Self.handshake(fields: [(name, "x")]) }
    #expect(error?.code == .invalidRequest)
  }

  static let answers: [AnswerCase] = [
    .init(name: "the answer of section 1.3"),
    .init(
      name: "names and tokens in any case, in lists",
      fields: [
        ("UPGRADE", "WebSocket"), ("connection", "keep-alive, UPGRADE"),
        ("sec-websocket-accept", AnswerCase.accept),
      ]
    ),
    .init(
      name: "Connection in two lines",
      fields: AnswerCase.good.filter { $0.0 != "Connection" }
        + [("Connection", "keep-alive"), ("Connection", "upgrade")]
    ),
    .init(name: "200", status: 200, code: .status),
    .init(name: "401", status: 401, fields: [], code: .status),
    .init(name: "HTTP/1.0", version: .http10, code: .version),
    .init(
      name: "a redirect",
      status: 302,
      fields: [("Location", "wss://elsewhere.example/ws?token=SECRET")],
      code: .redirect
    ),
    .init(name: "a redirect without a target", status: 302, fields: [], code: .status),
    .init(name: "no Upgrade", fields: AnswerCase.without("Upgrade"), code: .upgrade),
    .init(name: "another Upgrade", fields: AnswerCase.with("Upgrade", "h2c"), code: .upgrade),
    .init(
      name: "two upgrades",
      fields: AnswerCase.with("Upgrade", "websocket, h2c"),
      code: .upgrade
    ),
    .init(name: "no Connection", fields: AnswerCase.without("Connection"), code: .upgrade),
    .init(
      name: "another Connection",
      fields: AnswerCase.with("Connection", "keep-alive"),
      code: .upgrade
    ),
    .init(name: "no Accept", fields: AnswerCase.without("Sec-WebSocket-Accept"), code: .accept),
    .init(
      name: "another Accept",
      fields: AnswerCase.with("Sec-WebSocket-Accept", "c3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
      code: .accept
    ),
    .init(
      name: "Accept in lower case",
      fields: AnswerCase.with("Sec-WebSocket-Accept", AnswerCase.accept.lowercased()),
      code: .accept
    ),
    .init(
      name: "Accept twice",
      fields: AnswerCase.good + [("Sec-WebSocket-Accept", AnswerCase.accept)],
      code: .accept
    ),
    .init(
      name: "a subprotocol that was not asked for",
      fields: AnswerCase.good + [("Sec-WebSocket-Protocol", "chat")],
      code: .subprotocol
    ),
    .init(
      name: "an extension that was not asked for",
      fields: AnswerCase.good + [("Sec-WebSocket-Extensions", "permessage-deflate")],
      code: .extensions
    ),
    .init(
      name: "an extension that nobody knows",
      fields: AnswerCase.good + [("Sec-WebSocket-Extensions", "x-unknown")],
      code: .extensions
    ),
    .init(
      name: "an extension that is none",
      fields: AnswerCase.good + [("Sec-WebSocket-Extensions", "a b")],
      code: .extensions
    ),
  ]

  @Test("Every check on the answer", arguments: answers)
  func check(case test: AnswerCase) throws {
    let handshake = try Self.handshake()
    let answer = try Self.answer(test)
    guard let code = test.code else {
      #expect(try handshake.check(answer) == Agreement())
      return
    }
    let error = #expect(throws: HandshakeError.self) { try handshake.check(answer) }
    #expect(error?.code == code)
    #expect(error?.description.contains("SECRET") == false)
  }

  @Test("A subprotocol is one of those asked for, exactly and once")
  func subprotocol() throws {
    let handshake = try Self.handshake(subprotocols: ["v2", "v1"])
    let field = "Sec-WebSocket-Protocol"
    for chosen in [["v1"], ["v2"], []] {
      let answer = AnswerCase(name: "", fields: AnswerCase.good + chosen.map { (field, $0) })
      #expect(try handshake.check(Self.answer(answer)).subprotocol == chosen.first)
    }
    for chosen in [["V1"], ["v3"], ["v1", "v2"], ["v1, v2"], [""]] {
      let answer = AnswerCase(name: "", fields: AnswerCase.good + chosen.map { (field, $0) })
      let error = #expect(throws: HandshakeError.self) {
        try handshake.check(Self.answer(answer))
      }
      #expect(error?.code == .subprotocol, "\(chosen)")
    }
  }
}
