// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// One text or binary message.
public struct WebSocketMessage: Sendable {
  private let batch: MessageBatch
  private let index: Int

  init(_ batch: MessageBatch, _ index: Int) {
    self.batch = batch
    self.index = index
  }

  /// Whether it is a text or a binary message.
  public var kind: MessageKind { batch[index].kind }

  /// Its length in bytes.
  public var count: Int { batch[index].count }

  /// Whether a text is UTF-8; see `MessageBatch/Entry/isValidUTF8`.
  public var isValidUTF8: Bool { batch[index].isValidUTF8 }

  /// The message as text; what is not UTF-8 is replaced by U+FFFD.
  public var text: String { batch.text(of: index) }

  /// A copy of the bytes.
  public var bytes: [UInt8] { batch.bytes(of: index) }

  /// Lends the bytes without a copy.
  ///
  /// - Parameter body: Gets the message, which is valid only until it returns.
  /// - Returns: What `body` returns.
  /// - Throws: What `body` throws.
  public func withBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try batch.withBytes(of: index, body)
  }
}

/// The messages of a connection one by one; it ends when the connection is closed.
///
/// The connection reads when the next message is asked for, and not before: a slow loop slows the
/// sender down and loses nothing.
public struct WebSocketMessages: AsyncSequence, Sendable {
  /// One text or binary message.
  public typealias Element = WebSocketMessage

  /// Why the connection ended, unless it was closed in good order.
  public typealias Failure = WebSocketError

  let connection: WebSocketConnection

  /// Makes an iterator; a connection has one reader at a time.
  ///
  /// - Returns: The iterator.
  public func makeAsyncIterator() -> Iterator {
    Iterator(connection: connection)
  }

  /// Takes a batch from the connection and hands out its messages.
  public struct Iterator: AsyncIteratorProtocol {
    let connection: WebSocketConnection
    private var batch: MessageBatch?
    private var index = 0
    private var isOver = false

    init(connection: WebSocketConnection) {
      self.connection = connection
    }

    /// The next message.
    ///
    /// - Returns: The message, or nil once the connection was closed in good order.
    /// - Throws: ``WebSocketError`` if it ended otherwise.
    public mutating func next() async throws(WebSocketError) -> WebSocketMessage? {
      try await next(isolation: #isolation)
    }

    /// The next message, for a caller of any isolation.
    ///
    /// - Parameter actor: Where the caller runs.
    /// - Returns: The message, or nil once the connection was closed in good order.
    /// - Throws: ``WebSocketError`` if it ended otherwise.
    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(WebSocketError) -> WebSocketMessage? {
      while !isOver {
        while let batch, index < batch.count {
          index += 1
          if batch[index - 1].kind.isData { return WebSocketMessage(batch, index - 1) }
        }
        batch = nil
        index = 0
        do throws(WebSocketError) {
          batch = try await connection.nextBatch()?.messages
        } catch {
          isOver = true
          throw error
        }
        isOver = batch == nil
      }
      return nil
    }
  }
}
