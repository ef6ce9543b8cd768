// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

internal import Flow
internal import Transport
internal import WebSocketProtocol

extension WebSocketConnection {
  /// A TLS record is at most 16 KiB, and one read gives at most one of them.
  private static let largestRead = 1 << 14

  /// Waits for messages and control frames and takes all that one read gave.
  ///
  /// Control frames are part of a batch, in their order; pings have been answered already.
  ///
  /// - Returns: The batch, or nil once the closing handshake is complete.
  /// - Throws: ``WebSocketError`` if the connection ends otherwise; everything that was received
  ///   complete before is delivered first. If the task is cancelled the connection is closed.
  public func nextBatch() async throws(WebSocketError) -> ReceivedBatch? {
    readers += 1
    defer { readers -= 1 }
    while true {
      if case .finished(let error) = phase {
        guard let error else { return nil }
        throw error
      }
      do throws(ProtocolError) {
        if let batch = try machine.takeBatch() {
          flush()
          return ReceivedBatch(
            messages: batch,
            answers: machine.takeAnswers(),
            timestamp: lastRead
          )
        }
      } catch {
        await fail(error)
        continue
      }
      if machine.closeReceived != nil {
        await finishClosing()
        continue
      }
      // While a peer never pauses nothing waits, and only waits notice a cancellation.
      guard !Task.isCancelled else {
        finish(WebSocketError(.cancelled, "reading was cancelled"))
        continue
      }
      switch receive() {
      case .some: break
      case .full: await giveWay()
      case .nothing: await waitForInput()
      case .ended: machine.receiveEndOfStream()
      }
    }
  }

  /// The pongs and close frames that were sent after the last batch, for those who keep a log.
  ///
  /// - Returns: They, in order; each is given once.
  package func takeAnswers() -> [ControlFrame] { machine.takeAnswers() }

  /// Lets the loop's timers and other actors run, between two reads of a peer that never pauses.
  ///
  /// `Task.yield()` would go by way of the global executor: two changes of thread each time.
  func giveWay() async {
    do throws(CancellationError) {
      try await loop.sleep(until: loop.now)
    } catch {
      finish(WebSocketError(.cancelled, "reading was cancelled"))
    }
  }

  /// What reading gave.
  enum Reading {
    /// Some bytes, and no more for now.
    case some
    /// As many bytes as there was room for.
    case full
    /// No bytes for now.
    case nothing
    /// The stream has ended; ``streamEnd`` says how.
    case ended
  }

  /// Reads until nothing is left to read or the receive buffer is full.
  func receive() -> Reading {
    guard let stream, streamEnd == nil else { return .ended }
    // Readiness is reported as an edge: after a read that would block only waiting helps.
    guard !isDrained else { return .nothing }
    var hasRead = false
    while machine.receiveSpace >= Self.largestRead, !isDrained, streamEnd == nil {
      var result = IOResult.wouldBlock
      do throws(TransportError) {
        try machine.fill { (space) throws(TransportError) in
          result = try stream.read(into: space)
          guard case .bytes(let count) = result else { return 0 }
          return count
        }
      } catch {
        streamEnd = .failed(error)
        break
      }
      switch result {
      case .bytes: hasRead = true
      case .wouldBlock: isDrained = true
      case .end(let clean): streamEnd = .end(clean: clean)
      }
    }
    guard hasRead else { return streamEnd == nil ? .nothing : .ended }
    lastRead = loop.timestamp()
    unansweredPing = nil
    return isDrained || streamEnd != nil ? .some : .full
  }

  /// Waits for bytes; pings a peer that has been silent, and gives up one that stays so.
  private func waitForInput() async {
    guard let stream else { return }
    do throws(TransportError) {
      try await stream.waitUntilReadable(deadline: silenceDeadline)
      isDrained = false
    } catch {
      switch error.code {
      case .timedOut: silenceTooLong()
      default: finish(WebSocketError(error))
      }
    }
  }

  private var silenceDeadline: Int64? {
    if let unansweredPing {
      return Self.deadline(unansweredPing, configuration.pongTimeout)
    }
    return configuration.pingInterval.map { Self.deadline(lastRead.monotonic, $0) }
  }

  private static func deadline(_ start: Int64, _ duration: Duration) -> Int64 {
    let (sum, overflow) = start.addingReportingOverflow(duration.nanoseconds)
    return overflow ? .max : sum
  }

  private func silenceTooLong() {
    guard unansweredPing == nil else {
      finish(
        WebSocketError(
          .pongTimedOut,
          "the peer has not answered a ping for \(configuration.pongTimeout)"
        )
      )
      return
    }
    unansweredPing = loop.now
    // It only fails when the connection is closing, which has a deadline of its own.
    try? machine.ping(UnsafeRawBufferPointer(start: nil, count: 0))
    flush()
  }
}
