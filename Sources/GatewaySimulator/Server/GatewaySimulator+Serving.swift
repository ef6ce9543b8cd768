// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1
import HTTPServer
import Transport
import WebSocket

/// What a socket has to send, and the task that waits for it.
struct Outbox {
  private var waiting: [SocketOutput] = []
  private var bytes = 0
  var latch = Latch()
  /// Nothing more comes, and what waits need not be sent.
  private(set) var isClosed = false
  /// Nothing gets through any longer, either way.
  var hasVanished = false

  /// Whether so much waits that nothing should be added without need.
  var isCrowded: Bool { bytes > 4 << 20 }

  /// A client that takes nothing for so long is cut off, as a server would do it.
  static let limit = 32 << 20

  mutating func put(_ output: SocketOutput) {
    bytes += output.size
    waiting.append(bytes > Self.limit ? .drop : output)
    latch.open()
  }

  mutating func take() -> [SocketOutput] {
    bytes = 0
    defer { waiting.removeAll(keepingCapacity: true) }
    return waiting
  }

  mutating func close() {
    isClosed = true
    latch.open()
  }
}

extension GatewaySimulator {
  /// Takes connections until the listener is closed.
  func acceptConnections() async {
    while let stream = try? await listener.accept() {
      guard !isStopping, !model.refusesConnections else {
        stream.close()
        continue
      }
      lastConnection += 1
      let id = lastConnection
      arrivals[id] = stream
      connections[id] = Task(executorPreference: loop) { await self.serve(id) }
    }
  }

  private func serve(_ id: Int) async {
    guard let stream = arrivals.removeValue(forKey: id) else { return }
    defer {
      stream.close()
      connections[id] = nil
    }
    guard let stream = try? await secured(stream) else { return }
    defer { stream.close() }
    var reader = RequestReader()
    while let request = try? await reader.next(from: stream, deadline: deadline(seconds: 300)) {
      let response: GatewayResponse?
      switch parse(request) {
      case .some(let parsed) where parsed.path == "/ws" && request.head.fields["Upgrade"] != nil:
        switch model.admission(of: parsed, at: loop.timestamp()) {
        case .admitted(let knowsSession):
          await upgrade(stream, request.head, reader.leftover(), knowsSession: knowsSession)
          return
        case .refused(let refusal): response = refusal
        }
        record(parsed, status: response?.status)
      case .some(let parsed):
        response = answer(parsed, request)
        record(parsed, status: response?.status)
      case .none: response = .notFound
      }
      guard let response else {
        // The client waits for an answer that never comes, until it hangs up.
        _ = try? await reader.next(from: stream, deadline: deadline(seconds: 300))
        return
      }
      guard let answer = try? response.message() else { return }
      do {
        try await stream.writeAll(answer, deadline: deadline(seconds: 10))
      } catch {
        return
      }
    }
    stream.shutdown()
  }

  private func secured(_ stream: any ByteStream) async throws -> any ByteStream {
    guard let context, let tcp = stream as? TCPStream else { return stream }
    let secured = try TLSStream(server: tcp, context: context)
    try await secured.handshake(deadline: deadline(seconds: 10))
    return secured
  }

  private func parse(_ request: HTTPRequest) -> GatewayRequest? {
    GatewayRequest(
      method: request.head.method.name,
      target: request.head.target,
      fields: request.head.fields,
      scheme: context == nil ? "http" : "https",
      ownHosts: ["127.0.0.1:\(port)", "localhost:\(port)"],
      body: request.body
    )
  }

  private func answer(_ parsed: GatewayRequest, _ request: HTTPRequest) -> GatewayResponse? {
    if parsed.method == "POST", request.head.fields["Content-Length"] == nil {
      return .lengthRequired
    }
    let response = model.respond(to: parsed, at: loop.timestamp())
    advance()
    return response
  }

  private func upgrade(
    _ stream: any ByteStream,
    _ request: RequestHead,
    _ leftover: [UInt8],
    knowsSession: Bool
  ) async {
    let asked = loop.now
    guard
      let socket = try? await WebSocketConnection.accept(
        stream,
        request: request,
        leftover: leftover,
        loop: loop
      )
    else { return }
    note(ServedRequest(milliseconds: age, method: "GET", path: "/ws", status: 101))
    let id = model.open(at: loop.timestamp(), knowsSession: knowsSession)
    outboxes[id] = Outbox()
    journal?.append(SentFrame(socket: id, monotonic: asked, kind: .opened))
    advance()
    let reader = Task(executorPreference: loop) { await self.read(socket, id) }
    await write(socket, id)
    // Where the socket is not closed yet this breaks it off.
    reader.cancel()
    await reader.value
    model.close(id)
    outboxes[id] = nil
    advance()
  }

  private func read(_ socket: WebSocketConnection, _ id: Int) async {
    while let batch = try? await socket.nextBatch() {
      if outboxes[id]?.hasVanished == true { continue }
      for index in 0..<batch.messages.count where batch.messages[index].kind.isData {
        model.receive(batch.messages.text(of: index), from: id, at: loop.timestamp())
      }
      advance()
    }
    outboxes[id]?.close()
  }

  /// Sends until the socket is closed by either side.
  private func write(_ socket: WebSocketConnection, _ id: Int) async {
    while outboxes[id]?.isClosed == false {
      for output in outboxes[id]?.take() ?? [] {
        guard await send(output, over: socket, id) else { return }
      }
      if outboxes[id]?.latch.pass() == true { continue }
      await withCheckedContinuation { outboxes[id]?.latch.park($0) }
    }
  }

  /// Sends one thing.
  ///
  /// - Returns: Whether more can be sent.
  private func send(
    _ output: SocketOutput,
    over socket: WebSocketConnection,
    _ id: Int
  ) async -> Bool {
    switch output {
    case .message(let text):
      let bytes = Array(text.utf8)
      if outboxes[id]?.hasVanished == false {
        guard (try? await socket.send(binary: bytes)) != nil else { return false }
      }
      record(id, .binary, bytes)
    case .odd(let frame):
      if outboxes[id]?.hasVanished == false {
        guard (try? await send(frame, over: socket)) != nil else { return false }
      }
      if frame.isMessage { record(id, frame.kind, frame.payload) }
      if case .cut = frame { return false }
    case .close(let code):
      record(id, .close, [])
      await socket.close(CloseCode(rawValue: code))
      return false
    case .drop: return false
    case .vanish:
      await socket.vanish()
      outboxes[id]?.hasVanished = true
    }
    return true
  }

  private func send(_ frame: OddFrame, over socket: WebSocketConnection) async throws {
    switch frame {
    case .text(let bytes): try await socket.send(.text, bytes)
    case .binary(let bytes): try await socket.send(binary: bytes)
    case .ping(let bytes): try await socket.ping(bytes)
    case .fragments, .broken, .cut: await socket.sendUnchecked(frame.wire)
    }
  }

  /// Writes the ledger until the simulator stops.
  func writeLedger() async {
    while true {
      let lines = ledgerBuffer.take()
      if !lines.isEmpty {
        await ledger?.append(lines)
      } else if isStopping {
        return
      } else if !ledgerLatch.pass() {
        await withCheckedContinuation { ledgerLatch.park($0) }
      }
    }
  }

  private func record(_ request: GatewayRequest, status: Int?) {
    note(
      ServedRequest(
        milliseconds: age,
        method: request.method,
        path: String(request.path.prefix(200)),
        status: status
      )
    )
  }

  private func note(_ request: ServedRequest) {
    if requests.count >= Self.requestsKept { requests.removeFirst(Self.requestsKept / 2) }
    requests.append(request)
    guard ledger != nil else { return }
    ledgerBuffer.append(request)
    ledgerLatch.open()
  }

  /// Milliseconds since the start.
  private var age: Int64 { (loop.now - started) / 1_000_000 }

  private static let requestsKept = 20_000

  private func record(_ socket: Int, _ kind: SentFrame.Kind, _ bytes: [UInt8]) {
    guard ledger != nil || journal != nil else { return }
    let now = loop.timestamp()
    let frame = SentFrame(socket: socket, monotonic: now.monotonic, kind: kind, bytes: bytes)
    journal?.append(frame)
    guard ledger != nil else { return }
    ledgerBuffer.append(frame, realtime: now.realtime)
    ledgerLatch.open()
  }

  private func deadline(seconds: Int64) -> Int64 { loop.now + seconds * 1_000_000_000 }
}
