// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc
import HTTP1
import HTTPClient
import JSON
import Testing
import Transport
import WebSocket

@testable import GatewaySimulator

/// The simulator as a server, over streams in memory and on a clock that only the test moves.
@Suite(.timeLimit(.minutes(5)))
struct ServerTests {
  /// Connections that are made by handing over one end of a link.
  final class LinkListener: StreamListener {
    private let links: AsyncStream<MemoryLink>
    private let door: AsyncStream<MemoryLink>.Continuation
    private let loop: EventLoop

    init(on loop: EventLoop) {
      (links, door) = AsyncStream.makeStream()
      self.loop = loop
    }

    func connect() -> MemoryLink {
      let link = MemoryLink()
      door.yield(link)
      return link
    }

    func dial() async throws -> MemoryLink { connect() }

    func accept() async throws(TransportError) -> sending any ByteStream {
      for await link in links { return MemoryStream(link, .server, on: loop) }
      throw TransportError(.closed, "closed")
    }

    func close() { door.finish() }
  }

  /// A simulator, and clients for it.
  struct Bench {
    let loop: EventLoop
    let listener: LinkListener
    let simulator: GatewaySimulator

    init(_ configuration: GatewaySimulatorConfiguration = GatewaySimulatorConfiguration())
      async throws
    {
      let start = Timestamp(
        realtime: 1_777_552_110_000_000_000,
        monotonic: 1_000_000_000,
        boot: 1_000_000_000
      )
      loop = try EventLoop(virtual: start, advance: .onDemand)
      listener = LinkListener(on: loop)
      simulator = try await GatewaySimulator.start(configuration, listener: listener, loop: loop)
    }

    func client() -> HTTPClient {
      let (listener, loop) = (listener, loop)
      return HTTPClient(loop: loop) { _, _ in
        MemoryStream(try await listener.dial(), .client, on: loop)
      }
    }

    func socket(path: String = "/v1/api/ws") async throws -> WebSocketConnection {
      try await WebSocketConnection.open("ws://localhost\(path)", loop: loop) { [listener, loop] in
        MemoryStream(listener.connect(), .client, on: loop)
      }
    }

    /// Lets time pass until so many messages have come.
    func receive(_ count: Int, _ inbox: Inbox) async throws {
      var patience = 10_000
      while await inbox.texts.count < count {
        patience -= 1
        try #require(patience > 0)
        await loop.advance(by: .milliseconds(20))
      }
    }

    func end() async throws {
      try await simulator.stop()
      loop.stop()
    }
  }

  /// Everything that a socket receives, until it ends.
  ///
  /// It lives on the loop, so that it has everything when the clock stands still.
  actor Inbox {
    private nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private(set) var texts: [String] = []
    private(set) var kinds: Set<MessageKind> = []

    private var reader: Task<Void, Never>?

    init(on loop: EventLoop) { self.loop = loop }

    /// Starts to read, with a task of the loop's own.
    func open(_ socket: WebSocketConnection) {
      reader = Task(executorPreference: loop) { await self.read(socket) }
    }

    private func read(_ socket: WebSocketConnection) async {
      while let batch = try? await socket.nextBatch() {
        for index in 0..<batch.messages.count {
          texts.append(batch.messages.text(of: index))
          kinds.insert(batch.messages[index].kind)
        }
      }
    }
  }

  private func url(_ path: String) throws -> WebURL { try WebURL("http://localhost/v1/api\(path)") }

  @Test func answersRequestsOnOneConnection() async throws {
    let bench = try await Bench()
    let client = bench.client()
    let tickle = try await client.send(HTTPClientRequest(.post, try url("/tickle")))
    #expect(tickle.head.status == 200)
    #expect(try JSONValue(parsing: tickle.body)["session"]?.string?.utf8.count == 32)
    let accounts = try await client.send(HTTPClientRequest(.get, try url("/iserver/accounts")))
    #expect(try JSONValue(parsing: accounts.body)["selectedAccount"]?.string == "DU1234567")
    let nothing = try await client.send(HTTPClientRequest(.get, try url("/nothing")))
    #expect(nothing.head.status == 404)
    #expect(await bench.simulator.lastConnection == 1)
    await client.close()
    try await bench.end()
  }

  @Test func streamsBinaryMessages() async throws {
    let bench = try await Bench()
    let socket = try await bench.socket()
    let inbox = Inbox(on: bench.loop)
    await inbox.open(socket)
    try await bench.receive(3, inbox)
    try await socket.send(text: SocketSessionTests.subscription)
    try await bench.receive(60, inbox)
    let texts = await inbox.texts
    #expect(texts.prefix(3).map { $0.contains("system") } == [true, false, false])
    #expect(texts.contains { $0.contains("\"hb\"") })
    #expect(texts.filter { $0.contains("smd+265598") }.count > 40)
    #expect(await inbox.kinds == [.binary])
    try await bench.end()
  }

  @Test func breaksOffWhenItStops() async throws {
    let bench = try await Bench()
    let socket = try await bench.socket()
    try await bench.simulator.stop()
    await #expect(throws: WebSocketError.self) {
      while try await socket.nextBatch() != nil {}
    }
    bench.loop.stop()
  }

  @Test func dropsAndCloses() async throws {
    let bench = try await Bench()
    let dropped = try await bench.socket()
    await bench.simulator.inject(.dropConnections)
    await #expect(throws: WebSocketError.self) {
      while try await dropped.nextBatch() != nil {}
    }
    let closed = try await bench.socket()
    await bench.simulator.inject(.closeConnections(code: 1001))
    while try await closed.nextBatch() != nil {}
    #expect(await closed.closeCode == .goingAway)
    await bench.simulator.inject(.refuseConnections(for: .seconds(5)))
    await #expect(throws: WebSocketError.self) { try await bench.socket() }
    await bench.loop.advance(by: .seconds(6))
    let again = try await bench.socket()
    await again.close()
    try await bench.end()
  }

  @Test func writesALineForEachFrameIntoItsLedger() async throws {
    let path = "/tmp/ledger-\(UInt64.random(in: 0 ... .max)).ndjson"
    defer { unlink(path) }
    var configuration = GatewaySimulatorConfiguration()
    configuration.ledgerPath = path
    let bench = try await Bench(configuration)
    let socket = try await bench.socket()
    let inbox = Inbox(on: bench.loop)
    await inbox.open(socket)
    try await bench.receive(3, inbox)
    try await socket.send(text: SocketSessionTests.subscription)
    try await bench.receive(10, inbox)
    let texts = await inbox.texts
    try await bench.end()
    let lines = try contents(path).split(separator: UInt8(ascii: "\n"))
      .map { try JSONValue(parsing: Array($0)) }
      .filter { $0["kind"]?.string != "request" }
    #expect(lines.compactMap { $0["n"]?.int } == Array(1...lines.count))
    #expect(Array(lines.compactMap { $0["msg"]?.string }.prefix(texts.count)) == texts)
    #expect(lines.allSatisfy { $0["op"]?.string == "binary" && $0["socket"]?.int == 1 })
  }

  @Test func writesALineForEachRequestIntoItsLedger() async throws {
    let path = "/tmp/ledger-\(UInt64.random(in: 0 ... .max)).ndjson"
    defer { unlink(path) }
    var configuration = GatewaySimulatorConfiguration()
    configuration.ledgerPath = path
    let bench = try await Bench(configuration)
    let client = bench.client()
    _ = try await client.send(HTTPClientRequest(.post, try url("/tickle")))
    await bench.loop.advance(by: .milliseconds(1_500))
    _ = try await client.send(HTTPClientRequest(.get, try url("/nothing?oauth_token=secret")))
    let socket = try await bench.socket()
    await bench.simulator.inject(.tickleTimeout(for: .seconds(60)))
    let waiting = Task { try await client.send(HTTPClientRequest(.post, try url("/tickle"))) }
    while await bench.simulator.requests.count < 4 {
      await bench.loop.advance(by: .milliseconds(10))
    }
    waiting.cancel()
    _ = await waiting.result
    await socket.close()
    await client.close()
    let seen = await bench.simulator.requests
    try await bench.end()
    #expect(seen.map(\.path) == ["/tickle", "/nothing", "/ws", "/tickle"])
    #expect(seen.map(\.method) == ["POST", "GET", "GET", "POST"])
    #expect(seen.map(\.status) == [200, 404, 101, nil])
    #expect(seen[1].milliseconds - seen[0].milliseconds == 1_500)
    let text = String(decoding: try contents(path), as: UTF8.self)
    let lines = try text.split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
      .filter { $0["kind"]?.string == "request" }
    #expect(lines.map { $0["path"]?.string } == seen.map(\.path))
    #expect(lines.map { $0["method"]?.string } == seen.map(\.method))
    #expect(lines.map { $0["status"]?.int } == seen.map(\.status))
    #expect(lines.map { $0["t_ms"]?.int.map(Int64.init) } == seen.map(\.milliseconds))
    #expect(!text.contains("secret"))
  }

  private func contents(_ path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "r"))
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    return Array(bytes[..<fread(&bytes, 1, bytes.count, file)])
  }

  @Test func wantsALengthOfEveryPost() async throws {
    let bench = try await Bench()
    let link = bench.listener.connect()
    let answer = try await bench.loop.run { _ in
      let stream = MemoryStream(link, .client, on: bench.loop)
      let request = "POST /v1/api/tickle HTTP/1.1\r\nHost: localhost\r\n\r\n"
      try await stream.writeAll(Array(request.utf8), deadline: nil)
      return try await readText(stream)
    }
    #expect(answer.hasPrefix("HTTP/1.1 411 "))
    try await bench.end()
  }

  @Test(arguments: ["\0\u{1}\u{2}", "GET / HTTP/1.1\r\nA\r\n\r\n", "GET /v1/api/ws HTTP/9\r\n\r\n"])
  func survivesWhatIsNoRequest(text: String) async throws {
    let bench = try await Bench()
    let link = bench.listener.connect()
    try await bench.loop.run { _ in
      let stream = MemoryStream(link, .client, on: bench.loop)
      try await stream.writeAll(Array(text.utf8), deadline: nil)
      stream.shutdown()
    }
    let client = bench.client()
    #expect(try await client.send(HTTPClientRequest(.get, try url("/tickle"))).head.status == 200)
    await client.close()
    try await bench.end()
  }
}

/// The simulator as a client on the network sees it: TLS on a port of this machine.
@Suite(.timeLimit(.minutes(5)))
struct NetworkTests {
  private func answer(
    of simulator: GatewaySimulator,
    trust: TrustPolicy,
    host: String = "127.0.0.1",
    on loop: EventLoop
  ) async throws -> String {
    let context = try TLSContext(client: trust)
    return try await loop.run { _ in
      let stream = try await NetworkConnector().connect(
        to: Endpoint(host: host, port: simulator.port, security: .tls(context)),
        on: loop,
        deadline: loop.deadline(after: .seconds(20))
      )
      defer { stream.close() }
      let request = "GET /v1/api/tickle HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\n\r\n"
      try await stream.writeAll(Array(request.utf8), deadline: nil)
      return try await readText(stream)
    }
  }

  @Test func isTrustedThroughItsOwnAuthority() async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let simulator = try await GatewaySimulator.start()
    #expect(simulator.url == "https://127.0.0.1:\(simulator.port)/v1/api")
    let pin = try #require(PublicKeyPin(simulator.pin))
    for trust in [.authorities(pem: simulator.caPEM), .pinned([pin]), .insecure] as [TrustPolicy] {
      let answer = try await answer(of: simulator, trust: trust, on: loop)
      #expect(answer.hasPrefix("HTTP/1.1 200 "))
    }
    let trust = TrustPolicy.authorities(pem: simulator.caPEM)
    let byName = try await answer(of: simulator, trust: trust, host: "localhost", on: loop)
    #expect(byName.hasPrefix("HTTP/1.1 200 "))
    await #expect(throws: TransportError.self) {
      try await answer(of: simulator, trust: .system, on: loop)
    }
    try await simulator.stop()
    await #expect(throws: TransportError.self) {
      try await answer(of: simulator, trust: .insecure, on: loop)
    }
  }

  @Test func streamsOverTLSAndClosesInGoodOrder() async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let simulator = try await GatewaySimulator.start()
    var configuration = WebSocketConfiguration()
    configuration.trust = .authorities(pem: simulator.caPEM)
    let socket = try await WebSocketConnection.connect(
      to: "wss://127.0.0.1:\(simulator.port)/v1/api/ws",
      configuration: configuration,
      loop: loop
    )
    var texts: [String] = []
    for try await message in socket.messages {
      texts.append(message.text)
      if texts.count == 3 { try await socket.send(text: "tic") }
      if texts.count == 4 { break }
    }
    #expect(
      texts.map { $0.prefix(15) } == [
        "{\"topic\":\"syste", "{\"topic\":\"act\",", "{\"topic\":\"sts\",", "{\"topic\":\"tic\",",
      ]
    )
    await socket.close()
    #expect(await socket.closeCode == .normal)
    try await simulator.stop()
  }

  @Test func startsAgainOnTheSamePort() async throws {
    let first = try await GatewaySimulator.start()
    var configuration = GatewaySimulatorConfiguration()
    configuration.port = first.port
    let error = await #expect(throws: GatewaySimulatorError.self) {
      try await GatewaySimulator.start(configuration)
    }
    #expect(error?.code == .listen)
    #expect(error?.description.contains("\(first.port)") == true)
    try await first.stop()
    let second = try await GatewaySimulator.start(configuration)
    #expect(second.port == first.port)
    try await second.stop()
  }

  @Test func refusesALedgerThatCannotBeWritten() async throws {
    var configuration = GatewaySimulatorConfiguration()
    configuration.ledgerPath = "/nowhere/ledger.ndjson"
    let error = await #expect(throws: GatewaySimulatorError.self) {
      try await GatewaySimulator.start(configuration)
    }
    #expect(error?.code == .ledger)
  }
}

/// The first piece of what comes.
private func readText(_ stream: any ByteStream) async throws -> String {
  var buffer = [UInt8](repeating: 0, count: 4096)
  while true {
    switch try buffer.withUnsafeMutableBytes({ try stream.read(into: $0) }) {
    case .bytes(let count): return String(decoding: buffer[..<count], as: UTF8.self)
    case .wouldBlock: try await stream.waitUntilReadable(deadline: nil)
    case .end: return ""
    }
  }
}
