// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What a peer may ask of our memory.
///
/// Everything here is checked before memory is taken, and memory grows with what was received, never
/// with what was announced.
public struct Limits: Sendable, Hashable {
  /// The largest message in bytes, after inflating; at most 1 GiB.
  public var message: Int

  /// The largest frame in bytes, as it is on the wire.
  public var frame: Int

  /// How many frames one message may come in, empty ones included.
  public var fragments: Int

  /// Makes limits; the defaults are far above anything IBKR sends.
  ///
  /// - Parameters:
  ///   - message: The largest message in bytes, 16 MiB by default.
  ///   - frame: The largest frame in bytes, 16 MiB by default.
  ///   - fragments: The most frames of a message, 100,000 by default.
  public init(message: Int = 1 << 24, frame: Int = 1 << 24, fragments: Int = 100_000) {
    // Entries of a batch hold 32-bit offsets (see `MessageBatch.Entry`).
    self.message = max(0, min(message, 1 << 30))
    self.frame = max(0, min(frame, 1 << 30))
    self.fragments = max(1, fragments)
  }
}
