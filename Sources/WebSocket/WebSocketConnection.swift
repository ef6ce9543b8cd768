// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

internal import Flow
public import Transport
internal import WebSocketProtocol

/// A WebSocket (RFC 6455) as client or server.
///
/// ```swift
/// let loop = try EventLoop(name: "io")
/// let socket = try await WebSocketConnection.connect(to: "wss://example.com/feed", loop: loop)
/// try await socket.send(text: "hello")
/// for try await message in socket.messages {
///   print(message.text)
/// }
/// ```
///
/// The connection runs on its loop's thread, where bytes are read, decrypted and parsed in place.
/// It reads only while somebody is in ``nextBatch()`` or iterates ``messages``; otherwise nothing is
/// received, and TCP makes the sender wait. Pings are answered when they are read.
///
/// One task reads at a time. Any number may send.
public actor WebSocketConnection {
  /// How the connection stands.
  enum Phase {
    case connecting
    case open
    /// Over; nil if both sides agreed to end.
    case finished(WebSocketError?)
  }

  /// How the stream ended.
  enum StreamEnd {
    case end(clean: Bool)
    case failed(TransportError)
  }

  /// The loop that the connection lives on.
  public nonisolated let loop: EventLoop

  /// The loop's thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    loop.asUnownedSerialExecutor()
  }

  let configuration: WebSocketConfiguration
  var machine: ConnectionMachine
  var stream: (any ByteStream)?
  var phase = Phase.connecting

  /// The last read would have blocked, and nobody has waited since.
  var isDrained = false

  /// The end of the stream, once it was read; what came before it may still be unparsed.
  var streamEnd: StreamEnd?

  /// How many calls of ``nextBatch()`` are in progress.
  var readers = 0

  /// Who waits until the connection is over.
  var endWaiters: [CheckedContinuation<Void, Never>] = []

  /// The task that writes what could not be written at once, and who waits for it.
  ///
  /// It ends when all is written, at the latest at its deadline, and is cancelled with the
  /// connection.
  var writer: Task<Void, Never>?
  var writeWaiters: [CheckedContinuation<Void, Never>] = []

  /// The clocks after the last read, and when the ping was sent that nothing has followed.
  var lastRead: Timestamp
  var unansweredPing: Int64?

  /// Whether nothing is written any longer: see ``vanish()``.
  var hasVanished = false

  /// Why nothing more can be written, while what was received before is still being read.
  var writeError: TransportError?

  /// Hard-closes a connection whose peer does not answer our close frame.
  var closeTimer: TimerToken?

  /// What was agreed on in the opening handshake (section 1.9).
  public internal(set) var subprotocol: String?

  /// Whether messages are compressed (RFC 7692).
  public internal(set) var isCompressed = false

  init(configuration: WebSocketConfiguration, role: Role, loop: EventLoop) {
    self.configuration = configuration
    self.loop = loop
    // Replaced when the handshake has settled whether messages are compressed.
    machine = ConnectionMachine(role: role)
    lastRead = loop.timestamp()
  }

  /// Starts to speak WebSocket on a stream whose opening handshake is done.
  ///
  /// - Parameters:
  ///   - agreement: What the handshake settled.
  ///   - leftover: What was read behind the handshake.
  func begin(_ agreement: Agreement, leftover: ArraySlice<UInt8>) {
    machine = ConnectionMachine(
      role: machine.role,
      limits: configuration.limits,
      text: configuration.text,
      deflate: agreement.deflate,
      largestSentFrame: configuration.largestSentFrame
    )
    // A handshake is read in pieces far smaller than the receive buffer.
    _ = machine.receive(leftover.span)
    subprotocol = agreement.subprotocol
    isCompressed = agreement.deflate != nil
    lastRead = loop.timestamp()
    phase = .open
  }

  /// The peer's close code: 1005 if its close frame had none, nil before there was one.
  public var closeCode: CloseCode? {
    machine.closeReceived.map { $0.code ?? .noStatus }
  }

  /// The peer's reason for closing, if it gave one.
  public var closeReason: String? { machine.closeReceived?.reason }

  /// The messages one by one.
  public nonisolated var messages: WebSocketMessages { WebSocketMessages(connection: self) }

  /// Whether the connection is over.
  var isFinished: Bool {
    if case .finished = phase { true } else { false }
  }

  /// Ends the connection: releases the stream and everyone who waits.
  func finish(_ error: WebSocketError?) {
    guard !isFinished else { return }
    phase = .finished(error)
    if let closeTimer { loop.cancel(closeTimer) }
    closeTimer = nil
    stream?.close()
    stream = nil
    writer?.cancel()
    let waiting = endWaiters + writeWaiters
    endWaiters = []
    writeWaiters = []
    for waiter in waiting { waiter.resume() }
  }
}
