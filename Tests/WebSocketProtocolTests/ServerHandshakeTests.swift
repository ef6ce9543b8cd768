// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import Testing

@testable import WebSocketProtocol

@Suite("The server's opening handshake (RFC 6455 section 4.2)")
struct ServerHandshakeTests {
  static let good = [
    ("Host", "server.example.com"), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Version", "13"),
  ]

  static func request(
    _ fields: [(String, String)],
    method: HTTPMethod = .get,
    version: HTTPVersion = .http11
  ) throws -> RequestHead {
    try RequestHead(
      method: method,
      target: "/chat",
      version: version,
      fields: HTTPFields(fields.map { (name: $0.0, value: $0.1) })
    )
  }

  @Test("The answer of section 1.3")
  func answer() throws {
    let handshake = try ServerHandshake(Self.request(Self.good))
    #expect(handshake.response.status == 101)
    #expect(handshake.response.fields["Upgrade"] == "websocket")
    #expect(handshake.response.fields["Connection"] == "Upgrade")
    #expect(handshake.response.fields["Sec-WebSocket-Accept"] == AnswerCase.accept)
    #expect(handshake.agreement == Agreement())
  }

  static let refused: [(String, String, String, Int)] = [
    ("no Host", "Host", "-", 400),
    ("another Upgrade", "Upgrade", "h2c", 426),
    ("no Upgrade", "Upgrade", "-", 426),
    ("another Connection", "Connection", "keep-alive", 400),
    ("no key", "Sec-WebSocket-Key", "-", 400),
    ("a key of 15 bytes", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j", 400),
    ("a key that is no base64", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=*", 400),
    ("no version", "Sec-WebSocket-Version", "-", 426),
    ("version 8", "Sec-WebSocket-Version", "8", 426),
  ]

  @Test("Requests that are no upgrade", arguments: refused)
  func refusal(name: String, field: String, value: String, status: Int) throws {
    let others = Self.good.filter { $0.0 != field }
    let request = try Self.request(value == "-" ? others : others + [(field, value)])
    let error = #expect(throws: HandshakeError.self) { try ServerHandshake(request) }
    let answer = try ServerHandshake.refusal(of: #require(error))
    #expect(answer.status == status, "\(name)")
    #expect((answer.fields["Sec-WebSocket-Version"] == "13") == (status == 426))
  }

  @Test("A POST and HTTP/1.0")
  func method() throws {
    for request in [
      try Self.request(Self.good, method: .post), try Self.request(Self.good, version: .http10),
    ] {
      #expect(throws: HandshakeError.self) { try ServerHandshake(request) }
    }
  }

  @Test("Client and server agree, whatever both want")
  func agreement() throws {
    for (client, server, chosen) in [
      (["b", "a"], ["a", "b"], "b"), (["x", "a"], ["a"], "a"), (["x"], ["a"], nil),
      ([], ["a"], nil),
    ] as [([String], [String], String?)] {
      let handshake = try ClientHandshakeTests.handshake(subprotocols: client)
      let answer = try ServerHandshake(handshake.request, subprotocols: server)
      #expect(answer.agreement.subprotocol == chosen)
      #expect(try handshake.check(answer.response) == answer.agreement)
    }
  }

  @Test("Every pair of deflate settings ends in one that both keep")
  func deflate() throws {
    for bits in DeflateParameters.windowBits {
      for flags in 0..<16 {
        let asked = PerMessageDeflate(
          serverNoContextTakeover: flags & 1 != 0,
          clientNoContextTakeover: flags & 2 != 0,
          serverMaxWindowBits: bits,
          clientMaxWindowBits: 23 - bits
        )
        let own = PerMessageDeflate(
          serverNoContextTakeover: flags & 4 != 0,
          clientNoContextTakeover: flags & 8 != 0,
          serverMaxWindowBits: 11,
          clientMaxWindowBits: 12
        )
        let handshake = try ClientHandshakeTests.handshake(deflate: asked)
        let answer = try ServerHandshake(handshake.request, deflate: own)
        let agreed = try #require(answer.agreement.deflate)
        #expect(try handshake.check(answer.response).deflate == agreed)
        #expect(agreed.serverMaxWindowBits == min(bits, 11))
        #expect(agreed.clientMaxWindowBits == min(23 - bits, 12))
        #expect(agreed.serverNoContextTakeover == (flags & 5 != 0))
        #expect(agreed.clientNoContextTakeover == (flags & 10 != 0))
      }
    }
  }
}
