// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Glibc
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(5)))
struct TLSStreamTests {
  /// A listener on the loopback, and contexts for both sides.
  private struct Server: Sendable {
    let listener: Listener
    let context: TLSContext
    let clientContext: TLSContext

    init(on loop: EventLoop, needsClient: Bool = false) throws {
      let now = Int64(time(nil))
      let authority = try CertificateAuthority(name: "test root", now: now)
      let issued = try authority.issue(CertificateRequest(now: now))
      listener = try Listener(loopback: 0, loop: loop)
      context = try TLSContext(
        server: TLSCredentials(chainPEM: issued.certificateChainPEM, keyPEM: issued.privateKeyPEM),
        clientAuthorities: needsClient ? authority.certificatePEM : nil
      )
      clientContext = try TLSContext(client: .authorities(pem: authority.certificatePEM))
    }

    func endpoint(_ context: TLSContext? = nil) -> Endpoint {
      Endpoint(
        host: "localhost",
        port: listener.port,
        security: .tls(context ?? clientContext)
      )
    }

    /// Accepts one connection and shakes hands.
    func accept() async throws -> sending TLSStream {
      let stream = try await listener.accept()
      let tcp = try #require(stream as? TCPStream)
      let tls = try TLSStream(server: tcp, context: context)
      try await tls.handshake(deadline: nil)
      return tls
    }
  }

  @Test func `Bytes of every size go both ways and the end is clean`() async throws {
    try await withLoop { _, loop in
      let server = try Server(on: loop)
      async let echo: Void = loop.run { _ in
        let stream = try await server.accept()
        let (bytes, clean) = try await drain(stream, chunk: 60_000)
        #expect(clean)
        try await stream.writeAll(bytes.reversed(), deadline: nil)
        stream.shutdown()
      }
      let deadline = loop.deadline(after: .seconds(30))
      let connector = NetworkConnector()
      let stream = try await connector.connect(to: server.endpoint(), on: loop, deadline: deadline)
      var sent: [UInt8] = []
      for size in [1, 2, 16_384, 16_385, 500_000] {
        let part = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* size) }
        try await stream.writeAll(part, deadline: deadline)
        sent += part
      }
      stream.shutdown()
      let (bytes, clean) = try await drain(stream, chunk: 1_000, deadline: deadline)
      try await echo
      #expect(bytes == sent.reversed())
      #expect(clean)
    }
  }

  @Test func `An end without close_notify is not clean`() async throws {
    try await withLoop { _, loop in
      let server = try Server(on: loop)
      async let cut: Void = loop.run { _ in
        let stream = try await server.accept()
        try await stream.writeAll([1, 2, 3], deadline: nil)
        stream.close()
      }
      let connector = NetworkConnector()
      let stream = try await connector.connect(to: server.endpoint(), on: loop, deadline: nil)
      let (bytes, clean) = try await drain(stream)
      try await cut
      #expect(bytes == [1, 2, 3])
      #expect(!clean)
    }
  }

  @Test func `A second connection resumes the first`() async throws {
    try await withLoop { _, loop in
      let server = try Server(on: loop)
      let connector = NetworkConnector()
      var resumed: [Bool] = []
      for _ in 0..<3 {
        async let greet: Void = loop.run { _ in
          let stream = try await server.accept()
          try await stream.writeAll([1], deadline: nil)
          stream.shutdown()
        }
        let stream = try await connector.connect(to: server.endpoint(), on: loop, deadline: nil)
        _ = try await drain(stream)
        resumed.append((stream as? TLSStream)?.isResumed ?? false)
        stream.close()
        try await greet
      }
      #expect(resumed == [false, true, true])
    }
  }

  @Test func `A certificate without a trusted issuer is told as a TLS error`() async throws {
    try await withLoop { _, loop in
      let server = try Server(on: loop)
      async let refused = loop.run { _ in await failure { _ = try await server.accept() } }
      let system = try TLSContext(client: .system)
      let error = await failure {
        _ = try await NetworkConnector()
          .connect(to: server.endpoint(system), on: loop, deadline: nil)
      }
      #expect(error?.code == .tls)
      #expect(error?.tls?.code == .unknownIssuer || error?.tls?.code == .selfSigned)
      #expect(error?.description.contains("localhost") == true)
      #expect(await refused?.code == .tls)
    }
  }

  /// In TLS 1.3 the client's handshake is over before the server has seen its certificate, or that
  /// there is none; then the server sends an alert and hangs up.
  @Test func `A server that misses a client certificate is understood by a writer too`()
    async throws
  {
    try await withLoop { _, loop in
      let server = try Server(on: loop, needsClient: true)
      async let refused = loop.run { _ in await failure { _ = try await server.accept() } }
      let stream = try await NetworkConnector()
        .connect(to: server.endpoint(), on: loop, deadline: nil)
      let deadline = loop.deadline(after: .seconds(10))
      let error = await failure {
        while true {
          try await stream.writeAll([UInt8](repeating: 0, count: 1_000), deadline: deadline)
          try await loop.sleep(for: .milliseconds(1))
        }
      }
      #expect(error?.tls?.code == .clientCertificateRequired)
      #expect(await refused?.code == .tls)
    }
  }

  @Test func `A server that says nothing ends the handshake at the deadline`() async throws {
    try await withLoop { _, loop in
      let server = try Server(on: loop)
      var endpoint = server.endpoint()
      // A name's look-up could take as long on a busy machine.
      endpoint.host = "127.0.0.1"
      let deadline = loop.deadline(after: .milliseconds(50))
      let error = await failure { [endpoint] in
        _ = try await NetworkConnector().connect(
          to: endpoint,
          on: loop,
          deadline: deadline
        )
      }
      #expect(error?.code == .timedOut)
      #expect(loop.now >= deadline)
    }
  }

  @Test func `A server that hangs up in the handshake is told`() async throws {
    try await withLoop { _, loop in
      let server = try Server(on: loop)
      async let hangUp: Void = loop.run { _ in
        let stream = try await server.listener.accept()
        try await stream.waitUntilReadable(deadline: nil)
        _ = try readSome(stream, upTo: 10_000)
        stream.close()
      }
      let error = await failure {
        _ = try await NetworkConnector().connect(to: server.endpoint(), on: loop, deadline: nil)
      }
      try await hangUp
      #expect(error?.code == .reset)
    }
  }

  @Test func `A server without TLS is told apart`() async throws {
    try await withLoop { _, loop in
      let server = try Server(on: loop)
      async let answer: Void = loop.run { _ in
        let stream = try await server.listener.accept()
        try await stream.writeAll(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), deadline: nil)
        _ = try? await drain(stream)
      }
      let error = await failure {
        _ = try await NetworkConnector().connect(to: server.endpoint(), on: loop, deadline: nil)
      }
      try await answer
      #expect(error?.tls?.code == .notTLS)
    }
  }

  @Test func `Cancelling a task ends its handshake`() async throws {
    try await withLoop { _, loop in
      let server = try Server(on: loop)
      let connecting = Task {
        await failure {
          _ = try await loop.run { _ in
            _ = try await NetworkConnector().connect(to: server.endpoint(), on: loop, deadline: nil)
          }
        }
      }
      let silent = try await server.listener.accept()
      connecting.cancel()
      #expect(await connecting.value?.code == .cancelled)
      silent.close()
    }
  }
}
