// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import Flow
public import WebSocketProtocol

/// What one read gave, and when.
public struct ReceivedBatch: Sendable {
  /// The messages and control frames, in order.
  public let messages: MessageBatch

  /// The pongs and close frames that were sent in answer to them, and to those of earlier batches
  /// that could not be answered at once.
  public let answers: [ControlFrame]

  /// The clocks right after their bytes were read.
  public let timestamp: Timestamp
}
