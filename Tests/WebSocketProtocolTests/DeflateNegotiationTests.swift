// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import Testing

@testable import WebSocketProtocol

@Suite("Negotiating permessage-deflate (RFC 7692 sections 5 and 7.1)")
struct DeflateNegotiationTests {
  static func parameters(
    server: Int = 15,
    client: Int = 15,
    serverFresh: Bool = false,
    clientFresh: Bool = false
  ) -> DeflateParameters {
    var parameters = DeflateParameters()
    parameters.serverMaxWindowBits = server
    parameters.clientMaxWindowBits = client
    parameters.serverNoContextTakeover = serverFresh
    parameters.clientNoContextTakeover = clientFresh
    return parameters
  }

  /// What the client offers, what the server answers, what holds (nil: the handshake fails).
  static let answers: [(PerMessageDeflate, String, DeflateParameters?)] = [
    (.init(), "", parameters()),
    (.init(), "; server_no_context_takeover", parameters(serverFresh: true)),
    (.init(), "; client_no_context_takeover", parameters(clientFresh: true)),
    (.init(), "; server_max_window_bits=9", parameters(server: 9)),
    (.init(), "; client_max_window_bits=8", parameters(client: 8)),
    (.init(), "; client_max_window_bits=\"10\"", parameters(client: 10)),
    (.init(), ";server_max_window_bits=8 ;  client_max_window_bits = 15", parameters(server: 8)),
    (.init(clientMaxWindowBits: 10), "", parameters(client: 10)),
    (.init(clientMaxWindowBits: 10), "; client_max_window_bits=12", parameters(client: 10)),
    (.init(clientNoContextTakeover: true), "", parameters(clientFresh: true)),
    (.init(serverMaxWindowBits: 10), "; server_max_window_bits=9", parameters(server: 9)),
    (.init(serverMaxWindowBits: 10), "; server_max_window_bits=11", nil),
    (.init(serverMaxWindowBits: 10), "", nil),
    (.init(serverNoContextTakeover: true), "", nil),
    (.init(), "; server_max_window_bits=7", nil),
    (.init(), "; server_max_window_bits=16", nil),
    (.init(), "; server_max_window_bits=08", nil),
    (.init(), "; server_max_window_bits=+9", nil),
    (.init(), "; server_max_window_bits=99999999999999999999", nil),
    (.init(), "; server_max_window_bits", nil),
    (.init(), "; client_max_window_bits", nil),
    (.init(), "; client_max_window_bits=7", nil),
    (.init(), "; server_no_context_takeover=1", nil),
    (.init(), "; client_no_context_takeover=true", nil),
    (.init(), "; client_no_context_takeover; client_no_context_takeover", nil),
    (.init(), "; server_max_window_bits=9; server_max_window_bits=9", nil),
    (.init(), "; unknown", nil),
    (.init(), ";", nil),
    (.init(), "; =", nil),
    (.init(), "; a=\"", nil),
    (.init(), ", permessage-deflate", nil),
  ]

  @Test("Answers of a server", arguments: answers)
  func answer(offer: PerMessageDeflate, suffix: String, expected: DeflateParameters?) throws {
    let handshake = try ClientHandshakeTests.handshake(deflate: offer)
    let fields =
      AnswerCase.good + [("Sec-WebSocket-Extensions", "permessage-deflate\(suffix)")]
    let answer = try ClientHandshakeTests.answer(.init(name: "", fields: fields))
    if let expected {
      #expect(try handshake.check(answer).deflate == expected)
    } else {
      let error = #expect(throws: HandshakeError.self) { try handshake.check(answer) }
      #expect(error?.code == .extensions)
    }
  }

  /// What a client offers and what a server of default settings answers (nil: without extension).
  static let offers: [(String, String?)] = [
    ("permessage-deflate", "permessage-deflate"),
    ("permessage-deflate; client_max_window_bits", "permessage-deflate"),
    (
      "permessage-deflate; client_max_window_bits=9",
      "permessage-deflate; client_max_window_bits=9"
    ),
    (
      "permessage-deflate; server_max_window_bits=8",
      "permessage-deflate; server_max_window_bits=8"
    ),
    (
      "permessage-deflate; server_max_window_bits=15",
      "permessage-deflate; server_max_window_bits=15"
    ),
    (
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    ),
    // The first that can be accepted.
    ("x-unknown, permessage-deflate; bad, permessage-deflate", "permessage-deflate"),
    (
      "permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits=10",
      "permessage-deflate; server_max_window_bits=10"
    ),
    ("permessage-deflate; server_max_window_bits", nil),
    ("permessage-deflate; client_max_window_bits=16", nil),
    ("permessage-deflate; unknown=1", nil),
    ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", nil),
    ("x-webkit-deflate-frame", nil),
    ("permessage deflate", nil),
    ("", nil),
  ]

  @Test("Offers of a client", arguments: offers)
  func offer(text: String, expected: String?) throws {
    let fields = ServerHandshakeTests.good + [("Sec-WebSocket-Extensions", text)]
    let request = try ServerHandshakeTests.request(fields)
    let handshake = try ServerHandshake(request, deflate: PerMessageDeflate())
    #expect(handshake.response.fields["Sec-WebSocket-Extensions"] == expected)
    #expect((handshake.agreement.deflate != nil) == (expected != nil))
    let without = try ServerHandshake(request)
    #expect(without.agreement.deflate == nil)
  }

  @Test("Settings outside 8 to 15 are moved inside")
  func clamped() {
    let settings = PerMessageDeflate(serverMaxWindowBits: 3, clientMaxWindowBits: 99)
    #expect(settings.serverMaxWindowBits == 8)
    #expect(settings.clientMaxWindowBits == 15)
  }
}
