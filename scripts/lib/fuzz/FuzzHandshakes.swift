// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import WebSocketProtocol

/// The key of RFC 6455 section 1.3 and its answer, so that an input can get past the comparison.
private let nonce = Array("the sample nonce".utf8)
private let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

/// What a server may answer to an upgrade.
@Sendable func fuzzClientHandshake(_ input: Input) {
  guard let url = try? WebURL("wss://localhost:5000/v1/api/ws"),
    let handshake = try? ClientHandshake(
      url: url,
      subprotocols: input.has(1) ? ["v1", "v2"] : [],
      deflate: input.has(2) ? PerMessageDeflate(serverMaxWindowBits: input.has(3) ? 10 : 15) : nil,
      nonce: nonce
    )
  else { return require(false, "a good request was refused") }
  // Half of the inputs are whole heads, half further fields of a good one.
  let start = input.has(0) ? Array(goodAnswer.utf8) : []
  let end = input.has(0) ? Array("\r\n\r\n".utf8) : []
  guard let head = head(ResponseHeadParser(), start + input.bytes + end, input) else { return }
  guard let agreement = try? handshake.check(head) else { return }
  require(head.status == 101, "status \(head.status) was taken for an upgrade")
  require(head.fields.values(of: "Sec-WebSocket-Accept") == [accept], "a wrong key was accepted")
  require(input.has(2) || agreement.deflate == nil, "deflate was not offered")
  require(input.has(1) || agreement.subprotocol == nil, "no subprotocol was offered")
}

private let goodAnswer = """
  HTTP/1.1 101 Switching Protocols\r
  Upgrade: websocket\r
  Connection: Upgrade\r
  Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n
  """

/// What a client may ask for: whatever is accepted, the answer is one that a client agrees with.
@Sendable func fuzzServerHandshake(_ input: Input) {
  let start = input.has(0) ? Array(goodRequest.utf8) : []
  let end = input.has(0) ? Array("\r\n\r\n".utf8) : []
  guard let head = head(RequestHeadParser(), start + input.bytes + end, input) else { return }
  do throws(HandshakeError) {
    let deflate = PerMessageDeflate(serverMaxWindowBits: input.has(1) ? 9 : 15)
    let handshake = try ServerHandshake(head, subprotocols: ["v1"], deflate: deflate)
    var bytes: [UInt8] = []
    handshake.response.write(to: &bytes)
    var parser = ResponseHeadParser()
    let answer = try? parser.parse(bytes.span).head
    require(answer == handshake.response, "the answer does not read back")
    if let parameters = handshake.agreement.deflate {
      require(DeflateParameters.windowBits ~= parameters.serverMaxWindowBits, "window bits")
      require(DeflateParameters.windowBits ~= parameters.clientMaxWindowBits, "window bits")
    }
  } catch {
    let refusal = try? ServerHandshake.refusal(of: error)
    require(refusal.map { 400...599 ~= $0.status } == true, "a refusal without a status")
  }
}

private let goodRequest = """
  GET /chat HTTP/1.1\r
  Host: server.example.com\r
  Upgrade: websocket\r
  Connection: Upgrade\r
  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
  Sec-WebSocket-Version: 13\r\n
  """

/// A head read whole, which must be the same as the head read in pieces.
private func head<Head: HTTPHead & Equatable>(
  _ parser: HeadParser<Head>,
  _ bytes: [UInt8],
  _ input: Input
) -> Head? {
  var whole = parser
  let expected = try? whole.parse(bytes.span).head
  var cut = parser
  var found: Head?
  var start = 0
  for length in input.pieces + [bytes.count] where found == nil && start < bytes.count {
    let piece = bytes[start..<min(bytes.count, start + length)]
    guard let result = try? cut.parse(piece.span) else { break }
    found = result.head
    start += result.consumed
  }
  require(found == expected, "a head in pieces differs")
  return expected
}
