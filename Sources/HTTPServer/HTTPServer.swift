// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import HTTP1
package import Transport

/// A small HTTP/1.1 server: each request is answered by one function, and no connection can hold it
/// up, or up much of the machine.
package actor HTTPServer {
  /// Answers a request.
  package typealias Answer = @Sendable (HTTPRequest) async -> HTTPAnswer

  private nonisolated let loop: EventLoop
  private nonisolated let listener: any StreamListener
  private let answer: Answer
  private var connections: [Int: Task<Void, Never>] = [:]
  /// Streams on their way to the task that serves them.
  private var arrivals: [Int: any ByteStream] = [:]
  private var lastConnection = 0

  /// How many connections are served at a time; those above are closed at once.
  private static let maximumConnections = 64
  /// How long a client may take for a request, or between two.
  private static let requestTimeout = Duration.seconds(30)
  private static let writeTimeout = Duration.seconds(10)

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    loop.asUnownedSerialExecutor()
  }

  /// Creates a server; it takes connections as soon as ``run()`` is called.
  ///
  /// - Parameters:
  ///   - listener: Where connections come from.
  ///   - loop: The loop that the listener is on.
  ///   - answer: Answers each request.
  package init(_ listener: any StreamListener, loop: EventLoop, answer: @escaping Answer) {
    self.listener = listener
    self.loop = loop
    self.answer = answer
  }

  /// Serves until the task is cancelled or ``stop()`` is called; then all connections are closed.
  package func run() async {
    await withTaskCancellationHandler {
      while let stream = try? await listener.accept() { serve(stream) }
    } onCancel: {
      listener.close()
    }
    let open = connections.values
    for connection in open { connection.cancel() }
    for connection in open { await connection.value }
  }

  /// Takes no more connections, so that ``run()`` ends.
  package nonisolated func stop() {
    listener.close()
  }

  private func serve(_ stream: any ByteStream) {
    guard connections.count < Self.maximumConnections else { return stream.close() }
    lastConnection += 1
    let id = lastConnection
    arrivals[id] = stream
    connections[id] = Task { await self.serve(id) }
  }

  private func serve(_ id: Int) async {
    guard let stream = arrivals.removeValue(forKey: id) else { return }
    defer {
      stream.close()
      connections[id] = nil
    }
    var reader = RequestReader(bodyBytes: 64 << 10)
    while !Task.isCancelled {
      let answer: HTTPAnswer
      var isLast = false
      do {
        let deadline = loop.deadline(after: Self.requestTimeout)
        guard let request = try await reader.next(from: stream, deadline: deadline) else { return }
        answer = await self.answer(request)
        isLast = request.wantsClose
      } catch is HTTPError {
        answer = HTTPAnswer(status: 400, text: "this is no HTTP/1.1 request\n")
        isLast = true
      } catch {
        return
      }
      do {
        let bytes = try answer.message(closing: isLast)
        try await stream.writeAll(bytes, deadline: loop.deadline(after: Self.writeTimeout))
      } catch {
        return
      }
      if isLast { return stream.shutdown() }
    }
  }
}

extension HTTPRequest {
  /// Whether the connection ends with the answer (RFC 9112 section 9.3).
  fileprivate var wantsClose: Bool {
    if head.version != .http11 { return true }
    return head.fields["Connection"]?.lowercased().contains("close") ?? false
  }
}
