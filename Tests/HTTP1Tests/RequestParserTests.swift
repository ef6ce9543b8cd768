// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import Testing

@Suite struct RequestParserTests {
  @Test(arguments: Array(1...60) + [Int.max])
  func readsPipelinedRequestsInEverySplit(size: Int) throws {
    let text =
      "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
      + "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"
      + "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n"
    var parser = RequestParser()
    var pending = Array(text.utf8)[...]
    var seen: [String] = []
    while !pending.isEmpty {
      let piece = Array(pending.prefix(size))
      let (consumed, request) = try parser.parse(piece.span)
      pending = pending.dropFirst(consumed)
      if let request {
        seen.append("\(request.head.target) \(String(decoding: request.body, as: UTF8.self))")
        let isInside = parser.isInsideRequest
        #expect(!isInside)
      }
    }
    #expect(seen == ["/a abc", "/b ", "/c de"])
  }

  @Test func leavesWhatFollowsAnUpgradeAlone() throws {
    var parser = RequestParser()
    let bytes = Array("GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n\u{1}\u{2}".utf8)
    let (consumed, request) = try parser.parse(bytes.span)
    #expect(request?.head.path == "/ws")
    #expect(consumed == bytes.count - 2)
  }

  @Test func refusesABodyOverTheLimitBeforeItComes() {
    let text = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n"
    let code = refusal {
      var parser = RequestParser(limits: HTTPLimits(bodyBytes: 10))
      return try parser.parse(Array(text.utf8).span).consumed
    }
    #expect(code == .bodyTooLarge)
  }

  @Test func everyPostSaysItsLength() throws {
    func written(_ method: HTTPMethod, _ body: [UInt8]?) throws -> String {
      let head = try RequestHead(method: method, target: "/", fields: HTTPFields([("Host", "h")]))
      return String(decoding: try head.message(body: body), as: UTF8.self)
    }
    #expect(try written(.post, nil) == "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
    #expect(try written(.post, [97]).hasSuffix("Content-Length: 1\r\n\r\na"))
    #expect(try written(.get, nil) == "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    #expect(try written(.delete, [97]).hasSuffix("Content-Length: 1\r\n\r\na"))
  }

  @Test func aWriterMayNotDeclareTheLengthItself() throws {
    let fields = try HTTPFields([("content-length", "5")])
    let request = try RequestHead(method: .post, target: "/", fields: fields)
    #expect(refusal { try request.message(body: []) } == .ambiguousLength)
    let response = try ResponseHead(status: 200, fields: fields)
    #expect(refusal { try response.message() } == .ambiguousLength)
  }

  @Test func responsesSayTheirLengthWhereTheyMay() throws {
    let ok = try ResponseHead(status: 200, reason: "OK").message(body: [97])
    #expect(String(decoding: ok, as: UTF8.self) == "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")
    let empty = try ResponseHead(status: 204).message()
    #expect(String(decoding: empty, as: UTF8.self) == "HTTP/1.1 204 \r\n\r\n")
  }
}
