// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import Flow

/// What one read gave, and when.
public struct ReceivedBatch: Sendable {
  /// The messages and control frames, in order.
  public let messages: MessageBatch

  /// The clocks right after their bytes were read.
  public let timestamp: Timestamp
}
