// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

internal import Flow
internal import Transport
internal import WebSocketProtocol

extension WebSocketConnection {
  /// Sends a text message.
  ///
  /// - Parameter text: The text.
  /// - Throws: ``WebSocketError`` as ``send(_:_:)`` does.
  public func send(text: String) async throws(WebSocketError) {
    try await send(.text, Array(text.utf8))
  }

  /// Sends a binary message.
  ///
  /// - Parameter binary: The bytes.
  /// - Throws: ``WebSocketError`` as ``send(_:_:)`` does.
  public func send(binary: [UInt8]) async throws(WebSocketError) {
    try await send(.binary, binary)
  }

  /// Sends a message.
  ///
  /// It returns when the message is on its way; when too much waits to be written it waits first.
  ///
  /// - Parameters:
  ///   - kind: Text or binary; that a text is UTF-8 is up to the caller.
  ///   - payload: The message.
  /// - Throws: ``WebSocketError`` if the connection is closing, closed or broken.
  public func send(_ kind: MessageKind, _ payload: [UInt8]) async throws(WebSocketError) {
    guard kind.isData else {
      throw WebSocketError(.invalidArgument, "only text and binary messages can be sent so")
    }
    try await enqueue { (machine) throws(ProtocolError) in
      try payload.withUnsafeBufferPointer { (bytes) throws(ProtocolError) in
        try machine.send(kind, UnsafeRawBufferPointer(bytes))
      }
    }
  }

  /// Sends a ping; the pong comes with a batch like everything else.
  ///
  /// - Parameter payload: At most 125 bytes, which the pong brings back.
  /// - Throws: ``WebSocketError`` if the payload is too long, or as ``send(_:_:)`` does.
  public func ping(_ payload: [UInt8] = []) async throws(WebSocketError) {
    try await enqueue { (machine) throws(ProtocolError) in
      try payload.withUnsafeBufferPointer { (bytes) throws(ProtocolError) in
        try machine.ping(UnsafeRawBufferPointer(bytes))
      }
    }
  }

  private func enqueue(
    _ body: (inout ConnectionMachine) throws(ProtocolError) -> Void
  ) async throws(WebSocketError) {
    while machine.isOutputFull, writer != nil {
      await withCheckedContinuation { writeWaiters.append($0) }
    }
    if case .finished(let error?) = phase { throw error }
    if let writeError { throw WebSocketError(writeError) }
    guard case .open = phase else { throw WebSocketError(.closed, "the connection is closed") }
    do throws(ProtocolError) {
      try body(&machine)
    } catch {
      throw WebSocketError(error)
    }
    flush()
  }

  /// Writes what waits to be written; the rest, if any, in a task of its own, so that a peer which
  /// does not read can still be read from.
  func flush() {
    guard writer == nil, !hasVanished, !writeSome() else { return }
    writer = Task { await self.writeRest() }
  }

  /// Writes as much as the stream takes now.
  ///
  /// - Returns: Whether nothing is left.
  private func writeSome() -> Bool {
    while machine.pendingOutput > 0, let stream {
      let result: IOResult
      do throws(TransportError) {
        result = try machine.withOutput { (bytes) throws(TransportError) in
          try stream.write(bytes)
        }
      } catch {
        writeFailed(error)
        return true
      }
      guard case .bytes(let count) = result else {
        machine.outputWouldBlock()
        return false
      }
      machine.outputWritten(count)
    }
    return true
  }

  private func writeRest() async {
    var left = machine.pendingOutput
    var deadline = loop.deadline(after: configuration.writeTimeout)
    while let stream {
      do throws(TransportError) {
        try await stream.waitUntilWritable(deadline: deadline)
      } catch {
        finish(
          error.code == .timedOut
            ? WebSocketError(
              .writeTimedOut,
              "the peer took nothing for \(configuration.writeTimeout)"
            )
            : WebSocketError(error)
        )
        break
      }
      if writeSome() { break }
      if machine.pendingOutput != left {
        left = machine.pendingOutput
        deadline = loop.deadline(after: configuration.writeTimeout)
      }
      if !machine.isOutputFull { wakeWriters() }
    }
    writer = nil
    wakeWriters()
  }

  private func wakeWriters() {
    let waiting = writeWaiters
    writeWaiters = []
    for waiter in waiting { waiter.resume() }
  }

  /// The peer may have sent messages and a close frame before it stopped taking ours, so reading
  /// goes on, but not for long.
  private func writeFailed(_ error: TransportError) {
    writeError = error
    machine.discardOutput()
    limitClosing(WebSocketError(error))
  }

  /// Ends the connection when the time for closing it is over.
  func limitClosing(_ error: WebSocketError) {
    guard closeTimer == nil else { return }
    closeTimer = loop.schedule(at: loop.deadline(after: configuration.closeTimeout)) {
      self.assumeIsolated { $0.finish(error) }
    }
  }
}
