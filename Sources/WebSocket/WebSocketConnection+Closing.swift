// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

internal import Flow
internal import Transport
internal import WebSocketProtocol

// Closing the connection (RFC 6455 section 7).
extension WebSocketConnection {
  /// How long a peer that broke the protocol is listened to, so that the close frame which tells it
  /// so is not lost to a reset.
  private static let patience = Duration.seconds(1)

  /// Closes the connection with the closing handshake (section 7.1.2) and waits for its end, at most
  /// for the configuration's `closeTimeout`.
  ///
  /// Messages that still arrive go to whoever is reading; if nobody is, they are dropped.
  ///
  /// - Parameters:
  ///   - code: Why; a code that no frame may carry is left out.
  ///   - reason: Why, for people; what exceeds 123 bytes is cut off.
  public func close(_ code: CloseCode = .normal, reason: String = "") async {
    beginClosing(code, reason: reason)
    if readers > 0 {
      await ended()
    } else {
      while (try? await nextBatch()) != nil {}
    }
  }

  /// Sends the close frame and leaves the rest to the one who reads: until that one gets nil it is
  /// given everything that arrives, also what came between two of its calls.
  ///
  /// - Parameters:
  ///   - code: Why; a code that no frame may carry is left out.
  ///   - reason: Why, for people; what exceeds 123 bytes is cut off.
  package func beginClosing(_ code: CloseCode = .normal, reason: String = "") {
    guard case .open = phase else {
      finish(WebSocketError(.closed, "the connection was closed"))
      return
    }
    let isAllowed = code.isAllowedOnTheWire
    // With both arguments made valid nothing is thrown; closing twice is no error.
    try? machine.close(
      isAllowed ? code : nil,
      reason: isAllowed ? Self.prefix(of: reason, bytes: 123) : ""
    )
    flush()
    limitClosing(
      WebSocketError(
        .closeTimedOut,
        "the peer did not close the connection within \(configuration.closeTimeout)"
      )
    )
  }

  private static func prefix(of text: String, bytes limit: Int) -> String {
    var prefix = Substring(text)
    while prefix.utf8.count > limit { prefix.removeLast() }
    return String(prefix)
  }

  /// Waits for the end of the connection, which comes within `closeTimeout` of its closing.
  package func ended() async {
    guard !isFinished else { return }
    await withCheckedContinuation { endWaiters.append($0) }
  }

  /// Ends a connection whose both sides have agreed to.
  ///
  /// The server closes the stream, the client waits for that (section 7.1.1).
  func finishClosing() async {
    if let closeTimer { loop.cancel(closeTimer) }
    closeTimer = nil
    await writer?.value
    if machine.role == .server { stream?.shutdown() }
    await drain(for: configuration.closeTimeout)
    finish(nil)
  }

  /// Fails the connection (section 7.1.7).
  func fail(_ error: ProtocolError) async {
    flush()
    guard error.code != .endOfStream else {
      finish(endError)
      return
    }
    await writer?.value
    stream?.shutdown()
    await drain(for: min(Self.patience, configuration.closeTimeout))
    finish(WebSocketError(error))
  }

  /// Reads and drops until the stream ends, so that closing it does not reset it under our last
  /// frame; a peer that goes on sending is cut off.
  private func drain(for duration: Duration) async {
    let deadline = loop.deadline(after: duration)
    while let stream, loop.now < deadline {
      switch receive() {
      case .ended:
        return
      case .nothing:
        do throws(TransportError) {
          try await stream.waitUntilReadable(deadline: deadline)
          isDrained = false
        } catch {
          return
        }
      case .some, .full:
        // After a close frame and after a failure this only drops what was received.
        _ = try? machine.takeBatch()
        await giveWay()
      }
    }
  }

  /// Why there is no close frame.
  private var endError: WebSocketError {
    switch streamEnd {
    case .failed(let error)?:
      WebSocketError(error)
    case .end(clean: false)?:
      WebSocketError(
        .ended,
        "the connection was cut: TLS ended without close_notify and WebSocket without a close frame"
      )
    case .end(clean: true)?, nil:
      WebSocketError(.ended, "the peer ended the connection without a close frame")
    }
  }
}
