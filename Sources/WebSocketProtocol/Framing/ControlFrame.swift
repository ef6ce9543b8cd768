// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A control frame that the protocol has us send: a pong, or a close frame in answer to another or
/// to a breach (RFC 6455 sections 5.5.1, 5.5.2 and 7.1.7).
public struct ControlFrame: Sendable, Hashable {
  /// What it is: `pong` or `close`.
  public let kind: MessageKind

  /// Its payload, at most 125 bytes.
  public let payload: [UInt8]
}
