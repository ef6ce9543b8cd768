// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What one read of a connection gave: messages and control frames, in order.
///
/// The bytes lie where they were received and decrypted; nothing was copied or allocated for each
/// message. A batch is immutable and may go to other threads. It keeps its memory (at most 128 KiB,
/// or the assembled messages) as long as it lives, so copy out what is to be kept for long.
public final class MessageBatch: Sendable {
  /// One message or control frame of a batch.
  public struct Entry: Sendable {
    @usableFromInline let offset: UInt32
    @usableFromInline let length: UInt32

    /// What it is.
    public let kind: MessageKind

    /// Whether a text is UTF-8.
    ///
    /// Always true for other kinds, and for text in strict mode, which refuses what is not (RFC 6455
    /// section 8.1).
    public let isValidUTF8: Bool

    @usableFromInline let isAssembled: Bool

    init(_ kind: MessageKind, at place: Range<Int>, isAssembled: Bool, isValidUTF8: Bool = true) {
      // Both fit: blocks are at most twice the largest message, which `Limits` keeps at 1 GiB.
      offset = UInt32(truncatingIfNeeded: place.lowerBound)
      length = UInt32(truncatingIfNeeded: place.count)
      self.kind = kind
      self.isValidUTF8 = isValidUTF8
      self.isAssembled = isAssembled
    }

    /// How many bytes it has.
    @inlinable public var count: Int { Int(length) }
  }

  @usableFromInline let entries: [Entry]

  // Pointers into the two blocks, so that reading an entry counts no references. `unsafe` is safe:
  // both are constant, nobody writes to a lent block, and the batch owns the blocks.
  @usableFromInline nonisolated(unsafe) let received: UnsafeRawPointer?
  @usableFromInline nonisolated(unsafe) let assembled: UnsafeRawPointer?

  // Where `received` begins, in the coordinates of the entries' offsets.
  @usableFromInline let bias: Int

  private let receivedStorage: ByteStorage?
  private let assembledStorage: ByteStorage?

  /// - Parameters:
  ///   - entries: In order.
  ///   - received: The block that entries lie in which are not assembled, and what is to be
  ///     subtracted from their offsets.
  ///   - assembled: The block that the assembled entries lie in.
  init(
    entries: [Entry],
    received: (storage: ByteStorage, bias: Int)?,
    assembled: ByteStorage?
  ) {
    self.entries = entries
    receivedStorage = received?.storage
    assembledStorage = assembled
    self.received = received.map { UnsafeRawPointer($0.storage.base) }
    self.assembled = assembled.map { UnsafeRawPointer($0.base) }
    bias = received?.bias ?? 0
  }

  deinit {
    receivedStorage?.release()
  }

  /// How many messages and control frames there are, at least one.
  @inlinable public var count: Int { entries.count }

  /// One of them, without its bytes.
  ///
  /// - Parameter index: From 0 to below ``count``.
  @inlinable public subscript(index: Int) -> Entry { entries[index] }

  /// Lends the bytes of one of them.
  ///
  /// - Parameters:
  ///   - index: From 0 to below ``count``.
  ///   - body: Gets the payload, which is valid only until it returns.
  /// - Returns: What `body` returns.
  /// - Throws: What `body` throws.
  @inlinable
  public func withBytes<R, E: Error>(
    of index: Int,
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    let entry = entries[index]
    // An empty entry may have no block to point to.
    guard entry.length > 0, let base = entry.isAssembled ? assembled : received else {
      return try body(UnsafeRawBufferPointer(start: nil, count: 0))
    }
    let start = base + (Int(entry.offset) - (entry.isAssembled ? 0 : bias))
    return try body(UnsafeRawBufferPointer(start: start, count: Int(entry.length)))
  }

  /// A copy of the bytes of one of them.
  ///
  /// - Parameter index: From 0 to below ``count``.
  /// - Returns: The payload.
  public func bytes(of index: Int) -> [UInt8] {
    withBytes(of: index) { Array($0) }
  }

  /// One of them as text; what is not UTF-8 is replaced by U+FFFD.
  ///
  /// - Parameter index: From 0 to below ``count``.
  /// - Returns: The payload as a string.
  public func text(of index: Int) -> String {
    withBytes(of: index) { String(decoding: $0, as: UTF8.self) }
  }

  // MARK: - For consumers that keep their own records

  /// How many payload bytes all of them have together.
  public var byteCount: Int { entries.reduce(0) { $0 + $1.count } }
}
