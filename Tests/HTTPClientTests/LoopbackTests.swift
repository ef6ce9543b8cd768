// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Glibc
import HTTP1
import HTTPClient
import HTTPTunnel
import Testing
import Transport

/// The client over real sockets, against a server on the loopback.
@Suite(.timeLimit(.minutes(5))) struct LoopbackTests {
  /// A server that answers every request on every connection with its target.
  struct EchoServer: Sendable {
    let listener: Listener
    let identity: TLSContext?
    let clientContext: TLSContext

    /// Whether a CONNECT comes first, as to a proxy; the tunnel then leads to this server itself.
    var isProxy = false

    init(on loop: EventLoop, isSecure: Bool) throws {
      let now = Int64(time(nil))
      let authority = try CertificateAuthority(name: "test root", now: now)
      let issued = try authority.issue(CertificateRequest(now: now))
      listener = try Listener(loopback: 0, loop: loop)
      clientContext = try TLSContext(client: .authorities(pem: authority.certificatePEM))
      identity =
        isSecure
        ? try TLSContext(
          server: TLSCredentials(chainPEM: issued.certificateChainPEM, keyPEM: issued.privateKeyPEM)
        ) : nil
    }

    func url(_ target: String) throws -> WebURL {
      try WebURL("\(identity == nil ? "http" : "https")://localhost:\(listener.port)\(target)")
    }

    /// Serves so many connections; returns the targets that each asked for.
    func serve(connections: Int, on loop: EventLoop) async throws -> [[String]] {
      try await loop.run { _ in
        var targets: [[String]] = []
        for _ in 0..<connections {
          targets.append(try await serve(try await listener.accept()))
        }
        return targets
      }
    }

    private func serve(_ tcp: sending any ByteStream) async throws -> [String] {
      var targets: [String] = []
      if isProxy {
        var parser = RequestParser()
        let request = try #require(await readRequest(&parser, from: tcp))
        targets.append("\(request.head.method) \(request.head.target)")
        try await tcp.writeAll(Array("HTTP/1.1 200 OK\r\n\r\n".utf8), deadline: nil)
      }
      let stream = try await secured(tcp)
      var parser = RequestParser()
      while let request = await readRequest(&parser, from: stream) {
        targets.append(request.head.target)
        let answer = try ResponseHead(status: 200).message(body: Array(request.head.target.utf8))
        try await stream.writeAll(answer, deadline: nil)
      }
      stream.shutdown()
      stream.close()
      return targets
    }

    private func secured(_ stream: sending any ByteStream) async throws -> any ByteStream {
      guard let identity else { return stream }
      let tls = try TLSStream(server: try #require(stream as? TCPStream), context: identity)
      try await tls.handshake(deadline: nil)
      return tls
    }
  }

  /// A request for a machine that is busy with other things.
  private func patient(_ url: WebURL) -> HTTPClientRequest {
    HTTPClientRequest(.get, url, timeout: .seconds(240))
  }

  @Test(arguments: [false, true])
  func keepsOneConnectionForManyRequests(isSecure: Bool) async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let server = try EchoServer(on: loop, isSecure: isSecure)
    let client = HTTPClient(loop: loop, tls: server.clientContext)
    async let targets = server.serve(connections: 1, on: loop)
    for index in 0..<20 {
      let request = patient(try server.url("/\(index)?x"))
      let response = try await client.send(request)
      #expect(response.body == Array("/\(index)?x".utf8))
    }
    await client.close()
    let seen = try await targets
    #expect(seen == [(0..<20).map { "/\($0)?x" }])
  }

  @Test func goesThroughAProxyWithTLSInside() async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    var server = try EchoServer(on: loop, isSecure: true)
    server.isProxy = true
    let proxy = HTTPProxy(host: "127.0.0.1", port: server.listener.port)
    let client = HTTPClient(loop: loop, tls: server.clientContext, proxy: proxy)
    async let targets = server.serve(connections: 1, on: loop)
    // The port belongs to nobody: only the proxy can lead there.
    let response = try await client.send(patient(try WebURL("https://localhost:1/tickle")))
    #expect(response.body == Array("/tickle".utf8))
    await client.close()
    let seen = try await targets
    #expect(seen == [["CONNECT localhost:1", "/tickle"]])
  }

  @Test func aServerThatIsNotTrustedGetsNoRequest() async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let server = try EchoServer(on: loop, isSecure: true)
    let stranger = try EchoServer(on: loop, isSecure: true)
    let client = HTTPClient(loop: loop, tls: stranger.clientContext)
    async let served = server.serve(connections: 1, on: loop)
    let request = HTTPClientRequest(.get, try server.url("/?token=SECRET"))
    let error = await #expect(throws: HTTPClientError.self) { try await client.send(request) }
    #expect(error?.code == .cannotConnect)
    #expect(error?.transport?.code == .tls)
    #expect(error?.mayHaveReached == false)
    #expect(error?.description.contains("SECRET") == false)
    // Its handshake fails too: nobody spoke HTTP to it.
    let targets = try? await served
    #expect(targets == nil)
  }

  @Test func nothingListensThere() async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let listener = try Listener(loopback: 0, loop: loop)
    let url = try WebURL("http://localhost:\(listener.port)/")
    listener.close()
    let client = HTTPClient(loop: loop, tls: try TLSContext(client: .system))
    let error = await #expect(throws: HTTPClientError.self) {
      try await client.send(HTTPClientRequest(.get, url))
    }
    #expect(error?.code == .cannotConnect)
  }
}
