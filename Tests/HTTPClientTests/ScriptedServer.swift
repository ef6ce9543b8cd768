// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1
import HTTPClient
import Transport

/// A server in memory that does with each connection what its script says.
actor ScriptedServer {
  enum Step: Sendable {
    /// Reads a request, then writes this.
    case answer(String)
    /// Reads a request, then writes this in pieces of one byte, one per second.
    case trickle(String)
    /// Writes this without having been asked.
    case say(String)
    /// Reads a request and does nothing more.
    case silence
    /// Reads a request, then closes without a word.
    case hangUp
    case close
    case reset
  }

  static let ok = Step.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

  nonisolated let loop: EventLoop
  private var scripts: [[Step]]

  /// The requests of each connection, in the order in which they were opened.
  private(set) var requests: [[HTTPRequest]] = []

  /// The connections that the client has ended.
  private(set) var ended = 0

  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  init(_ scripts: [[Step]], on loop: EventLoop) {
    self.loop = loop
    self.scripts = scripts
  }

  /// Opens the next connection and starts its script.
  func accept() throws(TransportError) -> MemoryLink {
    guard !scripts.isEmpty else { throw TransportError(.refused, "no script is left") }
    let script = scripts.removeFirst()
    let link = MemoryLink()
    let index = requests.count
    requests.append([])
    // On the loop and nowhere else, or its virtual time would run ahead.
    Task(executorPreference: loop) { await self.serve(link, index, script) }
    return link
  }

  private func serve(_ link: MemoryLink, _ index: Int, _ script: [Step]) async {
    let stream = MemoryStream(link, .server, on: loop)
    defer { stream.close() }
    var parser = RequestParser()
    for step in script {
      switch step {
      case .close: return
      case .reset:
        try? await loop.sleep(for: .milliseconds(1))
        return link.reset()
      case .say(let text): await write(text, to: stream)
      case .answer, .trickle, .silence, .hangUp:
        guard let request = await readRequest(&parser, from: stream) else { break }
        requests[index].append(request)
        switch step {
        case .answer(let text): await write(text, to: stream)
        case .trickle(let text):
          for character in text.unicodeScalars {
            try? await loop.sleep(for: .seconds(1))
            await write(String(character), to: stream)
          }
        case .hangUp: return
        default: break
        }
      }
    }
    _ = await readRequest(&parser, from: stream)
    ended += 1
  }
}

private func write(_ text: String, to stream: any ByteStream) async {
  try? await stream.writeAll(Array(text.utf8), deadline: nil)
}

/// Reads the next request; nil at the end of the connection.
func readRequest(
  _ parser: inout RequestParser,
  from stream: any ByteStream
) async -> HTTPRequest? {
  var buffer = [UInt8](repeating: 0, count: 4096)
  while true {
    let result = try? buffer.withUnsafeMutableBytes { try stream.read(into: $0) }
    switch result {
    case .bytes(let count):
      if let request = try? parser.parse(Array(buffer[..<count]).span).request { return request }
    case .wouldBlock:
      do { try await stream.waitUntilReadable(deadline: nil) } catch { return nil }
    case .end, nil:
      return nil
    }
  }
}

/// Runs a test with a client whose connections lead to a scripted server, on virtual time.
func withClient(
  _ scripts: [[ScriptedServer.Step]],
  configuration: HTTPClient.Configuration = HTTPClient.Configuration(),
  _ body: @Sendable (HTTPClient, ScriptedServer) async throws -> Void
) async throws {
  let loop = try EventLoop(virtual: Timestamp(realtime: 0, monotonic: 0, boot: 0))
  defer { loop.stop() }
  let server = ScriptedServer(scripts, on: loop)
  let client = HTTPClient(loop: loop, configuration: configuration) { _, _ in
    MemoryStream(try await server.accept(), .client, on: loop)
  }
  try await loop.run { _ in
    try await body(client, server)
    await client.close()
  }
}
