// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import Testing

@Suite struct HeadParserTests {
  static let response =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX-Empty:\r\nA:  b c \r\n\r\nrest"

  @Test(arguments: Array(1...90))
  func givesTheSameHeadForEverySplit(size: Int) throws {
    let (parsed, rest) = try ResponseHeadParser.parse(Self.response, pieces: size)
    let head = try #require(parsed)
    #expect(head.version == .http11)
    #expect(head.status == 101)
    #expect(head.reason == "Switching Protocols")
    #expect(
      head.fields.map { "\($0.name)=\($0.value)" } == [
        "Upgrade=websocket", "X-Empty=", "A=b c",
      ]
    )
    #expect(rest == "rest")
  }

  @Test func startsAgainAfterEachHead() throws {
    var parser = ResponseHeadParser()
    let bytes = Array("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: 1\r\n\r\n".utf8)
    let (consumed, interim) = try parser.parse(bytes.span)
    #expect(interim?.isInterim == true)
    #expect(!parser.isInsideHead)
    let (_, final) = try parser.parse(Array(bytes[consumed...]).span)
    #expect(final?.status == 200)
    #expect(final?.fields["a"] == "1")
  }

  @Test(arguments: ["HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200 \r\n\r\n"])
  func takesAnEmptyReason(text: String) throws {
    let (head, _) = try ResponseHeadParser.parse(text)
    #expect(head?.status == 200)
    #expect(head?.reason == "")
  }

  @Test func readsHTTP10() throws {
    #expect(try ResponseHeadParser.parse("HTTP/1.0 200 OK\r\n\r\n").head?.version == .http10)
  }

  @Test func readsBytesThatAreNotUTF8AsLatin1() throws {
    var parser = ResponseHeadParser()
    let bytes = Array("HTTP/1.1 200 OK\r\nA: ".utf8) + [0xE9] + Array("\r\n\r\n".utf8)
    #expect(try parser.parse(bytes.span).head?.fields["A"] == "é")
  }

  @Test(arguments: [
    ("SSH-2.0-OpenSSH_9.2\r\n", HTTPError.Code.notHTTP),
    ("\u{15}\u{3}\u{1}", .notHTTP),
    ("HTTQ/1.1 200 OK\r\n\r\n", .notHTTP),
    ("\r\nHTTP/1.1 200 OK\r\n\r\n", .notHTTP),
    ("HTTP/2 200\r\n\r\n", .unsupportedVersion),
    ("HTTP/1.2 200 OK\r\n\r\n", .unsupportedVersion),
    ("HTTP/1.1\r\n\r\n", .malformedStartLine),
    ("HTTP/1.1 \r\n\r\n", .malformedStartLine),
    ("HTTP/1.1 20 OK\r\n\r\n", .malformedStartLine),
    ("HTTP/1.1 2000 OK\r\n\r\n", .malformedStartLine),
    ("HTTP/1.1 099 OK\r\n\r\n", .malformedStartLine),
    ("HTTP/1.1  200 OK\r\n\r\n", .malformedStartLine),
    ("HTTP/1.1 200 OK\n\n", .bareLineEnding),
    ("HTTP/1.1 200 OK\r\rA: b\r\n\r\n", .bareLineEnding),
    ("HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n", .bareLineEnding),
    ("HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n", .bareLineEnding),
    ("HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n", .controlCharacter),
    ("HTTP/1.1 200 OK\r\nA: \u{1B}[2J\r\n\r\n", .controlCharacter),
    ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", .foldedField),
    ("HTTP/1.1 200 OK\r\nA: b\r\n\tc\r\n\r\n", .foldedField),
    ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", .invalidFieldName),
    ("HTTP/1.1 200 OK\r\nA\r\n\r\n", .invalidFieldName),
    ("HTTP/1.1 200 OK\r\n: b\r\n\r\n", .invalidFieldName),
    ("HTTP/1.1 200 OK\r\nä: b\r\n\r\n", .invalidFieldName),
  ])
  func refusesResponses(text: String, code: HTTPError.Code) {
    for size in [Int.max, 1, 2, 3] {
      let refused = refusal {
        try ResponseHeadParser.parse(text, pieces: size)
      }
      #expect(refused == code, "in pieces of \(size)")
    }
  }

  @Test func saysThatThePeerSpeaksTLS() {
    #expect(throws: HTTPError(.notHTTP, "it speaks TLS")) {
      try ResponseHeadParser.parse("\u{15}\u{3}\u{3}")
    }
  }

  @Test func limitsTheHeadToTheByte() throws {
    let head = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
    var limits = HTTPLimits(headBytes: head.utf8.count)
    #expect(try ResponseHeadParser.parse(head, limits: limits).head != nil)
    limits.headBytes -= 1
    let refused = refusal {
      try ResponseHeadParser.parse(head, limits: limits)
    }
    #expect(refused == .headTooLarge)
  }

  @Test func limitsTheNumberOfFields() throws {
    let limits = HTTPLimits(fieldCount: 2)
    let start = "HTTP/1.1 200 OK\r\nA: b\r\nA: b\r\n"
    #expect(try ResponseHeadParser.parse(start + "\r\n", limits: limits).head != nil)
    let refused = refusal {
      try ResponseHeadParser.parse(start + "A: b\r\n\r\n", limits: limits)
    }
    #expect(refused == .tooManyFields)
  }

  @Test func anEndlessLineIsRefusedAtTheLimit() {
    var parser = ResponseHeadParser()
    let piece = [UInt8](repeating: UInt8(ascii: "a"), count: 1000)
    var fed = 0
    let refused = refusal {
      _ = try parser.parse(Array("HTTP/1.1 200 OK\r\n".utf8).span)
      while true {
        _ = try parser.parse(piece.span)
        fed += piece.count
      }
    }
    #expect(refused == .headTooLarge)
    #expect(fed <= HTTPLimits().headBytes)
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", nil),
    ("GET / HTTP/1.0\r\n\r\n", nil),
    ("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", nil),
    ("GET / HTTP/1.1\r\n\r\n", HTTPError.Code.missingHost),
    ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", .missingHost),
    ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedStartLine),
    ("GET /\r\nHost: a\r\n\r\n", .malformedStartLine),
    ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .malformedStartLine),
    ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", .invalidMethod),
    ("GET /ä HTTP/1.1\r\nHost: a\r\n\r\n", .invalidTarget),
    ("GET / HTTP/3\r\nHost: a\r\n\r\n", .unsupportedVersion),
    ("\u{16}\u{3}\u{1}", .notHTTP),
  ])
  func readsRequests(text: String, code: HTTPError.Code?) {
    for size in [Int.max, 1] {
      let refused = refusal {
        try RequestHeadParser.parse(text, pieces: size)
      }
      #expect(refused == code)
    }
  }

  @Test func writesWhatItReads() throws {
    let text =
      "POST /v1/api/tickle?a=b HTTP/1.1\r\nHost: localhost:5000\r\nContent-Length: 0\r\n\r\n"
    let head = try #require(try RequestHeadParser.parse(text).head)
    #expect(head.method == .post)
    #expect(head.path == "/v1/api/tickle")
    #expect(head.query == "a=b")
    var written: [UInt8] = []
    head.write(to: &written)
    #expect(String(decoding: written, as: UTF8.self) == text)

    let answer = "HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n"
    written = []
    try #require(try ResponseHeadParser.parse(answer).head).write(to: &written)
    #expect(String(decoding: written, as: UTF8.self) == answer)
  }

  @Test(arguments: ["", "/a b", "/a\r\nX: y", "/\0", "/ä", "/\u{7F}"])
  func refusesTargetsThatWouldForgeARequest(target: String) {
    let refused = refusal {
      try RequestHead(method: .get, target: target)
    }
    #expect(refused == .invalidTarget)
  }
}
