// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1
import HTTPTunnel
import Testing
import Transport

@Suite(.timeLimit(.minutes(5))) struct HTTPProxyTests {
  static let proxy = HTTPProxy(host: "proxy", port: 3128, user: "me", password: "SECRET")

  /// What a proxy does with the connection, and what came of it.
  struct Outcome: Sendable {
    var request = ""
    var error: TunnelError?
    var seconds: Int64 = 0
  }

  /// Opens a tunnel through a proxy that answers with these pieces and then ends or stays silent.
  static func open(
    _ pieces: [String],
    thenEnds: Bool = false,
    proxy: HTTPProxy = proxy,
    url: String = "wss://api.ibkr.com/v1/api/ws?oauth_token=SECRET"
  ) async throws -> Outcome {
    let loop = try EventLoop(virtual: Timestamp(realtime: 0, monotonic: 0, boot: 0))
    defer { loop.stop() }
    let url = try WebURL(url)
    return await loop.run { _ in
      let link = MemoryLink()
      let client = MemoryStream(link, .client, on: loop)
      let server = MemoryStream(link, .server, on: loop)
      var outcome = Outcome()
      for piece in pieces { try? await server.writeAll(Array(piece.utf8), deadline: nil) }
      if thenEnds { server.shutdown() }
      do throws(TunnelError) {
        try await proxy.openTunnel(to: url, over: client, deadline: 5_000_000_000)
      } catch {
        outcome.error = error
      }
      var buffer = [UInt8](repeating: 0, count: 4096)
      if case .bytes(let count)? = try? buffer.withUnsafeMutableBytes({ try server.read(into: $0) })
      {
        outcome.request = String(decoding: buffer[..<count], as: UTF8.self)
      }
      outcome.seconds = loop.now / 1_000_000_000
      return outcome
    }
  }

  @Test func asksForTheServerAndTellsNothingElse() async throws {
    let outcome = try await Self.open(["HTTP/1.1 200 Connection established\r\n\r\n"])
    #expect(outcome.error == nil)
    #expect(
      outcome.request == """
        CONNECT api.ibkr.com:443 HTTP/1.1\r
        Host: api.ibkr.com:443\r
        Proxy-Authorization: Basic bWU6U0VDUkVU\r
        \r

        """
    )
    let open = try await Self.open(
      ["HTTP/1.1 200 OK\r\n\r\n"],
      proxy: HTTPProxy(host: "::1", port: 80),
      url: "ws://[2001:db8::1]:8080/"
    )
    #expect(
      open.request == "CONNECT [2001:db8::1]:8080 HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n"
    )
  }

  @Test(arguments: [
    ["HTTP/1.0 200 OK\r\nVia: x\r\n\r\n"],
    ["HTTP/1.1 2", "99 Fine\r", "\n\r\n"],
    ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 OK\r\nContent-Length: 5\r\n\r\n"],
  ])
  func takesAnySuccess(pieces: [String]) async throws {
    #expect(try await Self.open(pieces).error == nil)
  }

  @Test(arguments: [
    ("HTTP/1.1 407 Who\r\nContent-Length: 5\r\n\r\nhello", false, TunnelError.Code.authentication),
    ("HTTP/1.1 403 No\r\n\r\n<html>", false, .refused),
    ("HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\n\r\n", false, .refused),
    ("HTTP/1.1 200 OK\r\n\r\nbytes that nobody may have sent", false, .invalidAnswer),
    ("SSH-2.0-OpenSSH\r\n", false, .invalidAnswer),
    (String(repeating: "HTTP/1.1 100 More\r\n\r\n", count: 9), false, .invalidAnswer),
    ("HTTP/1.1 200 O", true, .connection),
    ("", true, .connection),
    ("", false, .connection),
    ("HTTP/1.1 200 OK\r\nX: ", false, .connection),
  ])
  func failsWithOneClearCode(answer: String, ends: Bool, code: TunnelError.Code) async throws {
    let outcome = try await Self.open([answer], thenEnds: ends)
    let error = try #require(outcome.error)
    #expect(error.code == code)
    #expect(!error.description.contains("SECRET"))
    #expect(outcome.seconds <= 5)
    if outcome.seconds == 5 { #expect(error.transport?.code == .timedOut) }
  }

  @Test func refusesCredentialsThatCannotBeSent() async throws {
    let proxy = HTTPProxy(host: "proxy", port: 80, user: "a:b", password: "SECRET")
    let outcome = try await Self.open([], proxy: proxy)
    #expect(outcome.error?.code == .invalidRequest)
    #expect(outcome.request.isEmpty)
  }

  @Test func neverShowsWhoMayUseIt() {
    var dumped = ""
    dump(Self.proxy, to: &dumped)
    for text in ["\(Self.proxy)", String(reflecting: Self.proxy), dumped] {
      #expect(text.contains("proxy:3128"))
      #expect(!text.contains("SECRET"))
    }
  }
}
