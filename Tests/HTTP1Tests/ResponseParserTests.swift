// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import Testing

@Suite struct ResponseParserTests {
  /// Feeds a whole connection in pieces of one size, then its end.
  static func read(
    _ bytes: [UInt8],
    pieces size: Int = .max,
    answering method: HTTPMethod = .get,
    limits: HTTPLimits = HTTPLimits()
  ) throws(HTTPError) -> (response: HTTPResponse?, rest: String) {
    var parser = ResponseParser(answering: method, limits: limits)
    var start = 0
    while start < bytes.count {
      let end = start + min(size, bytes.count - start)
      let (consumed, response) = try parser.parse(Array(bytes[start..<end]).span)
      if let response {
        return (response, String(decoding: bytes[(start + consumed)...], as: UTF8.self))
      }
      start = end
    }
    return (try parser.endOfConnection(), "")
  }

  static let good: [(text: String, body: String, rest: String, reuse: Bool)] = [
    ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloNEXT", "hello", "NEXT", true),
    ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nNEXT", "", "NEXT", true),
    ("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi", "hi", "", true),
    ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi", "hi", "", false),
    ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi", "", false),
    ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", "hi", "", true),
    ("HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end", "", false),
    ("HTTP/1.1 204 No Content\r\n\r\nNEXT", "", "NEXT", true),
    ("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\nNEXT", "", "NEXT", true),
    ("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nNEXT", "", "NEXT", false),
    (
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n"
        + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi", "", true
    ),
    (
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "5\r\nhello\r\n1;name=\"value\"\r\n \r\n00A\r\n0123456789\r\n0\r\nX: y\r\n\r\nNEXT",
      "hello 0123456789", "NEXT", true
    ),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n0\r\n\r\n", "", "", true),
    ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", "", "", true),
  ]

  @Test(arguments: good.indices)
  func readsResponsesInEverySplit(index: Int) throws {
    let (text, body, rest, reuse) = Self.good[index]
    for size in [Int.max] + Array(1...40) {
      let (response, after) = try Self.read(Array(text.utf8), pieces: size)
      let read = try #require(response)
      #expect(String(decoding: read.body, as: UTF8.self) == body, "in pieces of \(size)")
      #expect(after == rest, "in pieces of \(size)")
      #expect(read.allowsReuse == reuse)
    }
  }

  @Test func headAndTunnelAnswersHaveNoBody() throws {
    let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Encoding: br\r\n\r\nNEXT"
    for method in [HTTPMethod.head, .connect] {
      let (response, rest) = try Self.read(Array(text.utf8), answering: method)
      #expect(response?.body == [])
      #expect(rest == "NEXT")
    }
  }

  @Test(arguments: [
    ("", HTTPError.Code.truncatedHead),
    ("HTTP/1.1 200 OK\r\nContent-Le", .truncatedHead),
    ("HTTP/1.1 100 Continue\r\n\r\n", .truncatedHead),
    (String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 9), .tooManyInterimResponses),
    ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", .truncatedBody),
    ("HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n", .invalidContentLength),
    ("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", .invalidContentLength),
    ("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", .invalidContentLength),
    ("HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello", .invalidContentLength),
    ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", .invalidContentLength),
    ("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n", .bodyTooLarge),
    ("HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello", .ambiguousLength),
    ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", .ambiguousLength),
    (
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      .ambiguousLength
    ),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .unsupportedTransferCoding),
    (
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      .unsupportedTransferCoding
    ),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n", .unsupportedTransferCoding),
    (
      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      .unsupportedTransferCoding
    ),
    ("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n", .unsupportedContentCoding),
    ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\n\r\n", .unsupportedContentCoding),
    ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot gzip at all", .corruptContent),
    ("HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n\u{7}\u{7}\u{7}", .corruptContent),
  ])
  func refuses(text: String, code: HTTPError.Code) {
    for size in [Int.max, 1, 2, 7] {
      #expect(refusal { try Self.read(Array(text.utf8), pieces: size) } == code)
    }
  }

  @Test(arguments: [
    ("", HTTPError.Code.truncatedBody),
    ("5\r\nhel", .truncatedBody),
    ("5\r\nhello\r\n0\r\n", .truncatedBody),
    ("\r\n", .invalidChunk),
    ("x\r\n", .invalidChunk),
    ("-1\r\n", .invalidChunk),
    ("+5\r\nhello", .invalidChunk),
    ("0x5\r\nhello", .invalidChunk),
    ("5 5\r\nhello", .invalidChunk),
    ("5\r\nhello!\r\n", .invalidChunk),
    ("5\nhello\r\n", .bareLineEnding),
    ("5\r\nhello\n", .bareLineEnding),
    ("5\0\r\nhello\r\n", .controlCharacter),
    ("7fffffffffffffff\r\n", .bodyTooLarge),
    ("ffffffffffffffff\r\n", .bodyTooLarge),
    ("fffffffffffffffffffffffffffffffff\r\n", .bodyTooLarge),
    ("1000001\r\n", .bodyTooLarge),
    ("5;\(String(repeating: "x", count: 70_000))\r\n", .invalidChunk),
    ("0\r\nA: \(String(repeating: "x", count: 70_000))\r\n", .trailersTooLarge),
    ("0\r\n\(String(repeating: "A: b\r\n", count: 257))\r\n", .trailersTooLarge),
    ("0\r\n folded\r\n\r\n", .foldedField),
    ("0\r\nno colon\r\n\r\n", .invalidFieldName),
  ])
  func refusesChunks(chunks: String, code: HTTPError.Code) {
    let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    for size in [Int.max, 1, 3] {
      #expect(refusal { try Self.read(Array(text.utf8), pieces: size) } == code)
    }
  }

  @Test func extensionsOnEveryChunkDoNotGoOnForEver() {
    let chunk = "1;\(String(repeating: "x", count: 100))\r\na\r\n"
    let text =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      + String(repeating: chunk, count: 1000) + "0\r\n\r\n"
    #expect(refusal { try Self.read(Array(text.utf8)) } == .invalidChunk)
  }

  @Test func manySmallChunksAreNoOffence() throws {
    let text =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      + String(repeating: "1\r\na\r\n", count: 100_000) + "0\r\n\r\n"
    #expect(try Self.read(Array(text.utf8)).response?.body.count == 100_000)
  }

  @Test func bodiesUntilTheEndAreLimitedToTheByte() throws {
    let head = "HTTP/1.1 200 OK\r\n\r\n"
    let limits = HTTPLimits(bodyBytes: 10)
    let fits = try Self.read(Array("\(head)0123456789".utf8), limits: limits)
    #expect(fits.response?.body.count == 10)
    let code = refusal { try Self.read(Array("\(head)0123456789x".utf8), limits: limits) }
    #expect(code == .bodyTooLarge)
  }
}
