// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// A frame that a simulator has sent, or a socket that a client has opened.
package struct SentFrame: Sendable, Hashable {
  /// What it is.
  package enum Kind: String, Sendable, Hashable {
    /// Nothing was sent yet: the client has asked for the socket.
    case opened
    /// A text message.
    case text
    /// A binary message.
    case binary
    /// A ping.
    case ping
    /// A close frame.
    case close
  }

  /// The socket's number, from 1.
  package let socket: Int
  /// The monotonic time of the simulator's loop.
  package let monotonic: Int64
  /// What it is.
  package let kind: Kind
  /// The payload.
  package let bytes: [UInt8]

  /// Makes an entry, for tests of those who read a journal.
  package init(socket: Int, monotonic: Int64, kind: Kind, bytes: [UInt8] = []) {
    self.socket = socket
    self.monotonic = monotonic
    self.kind = kind
    self.bytes = bytes
  }
}

/// The ledger in memory, for those who hold in the same process what a client received against what
/// was sent to it.
///
/// It grows until somebody takes what is in it.
package final class SentJournal: Sendable {
  private let frames = Locked<[SentFrame]>([])

  /// Makes an empty journal.
  package init() {}

  /// Takes what was sent since the last call, in order.
  package func take() -> [SentFrame] {
    frames.withLock { frames in
      defer { frames = [] }
      return frames
    }
  }

  func append(_ frame: SentFrame) { frames.withLock { $0.append(frame) } }
}
