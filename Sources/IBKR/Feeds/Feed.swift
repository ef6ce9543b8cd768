// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Something that can be subscribed to, and what its messages are as values.
///
/// A feed is identified by its topic and target: two subscriptions to the same share one on the wire.
public protocol Feed: Sendable {
  /// What the feed's messages are decoded to.
  associatedtype Element: Sendable

  /// What is asked of the server.
  var request: FeedRequest { get }

  /// Reads a message of the feed.
  ///
  /// - Parameter message: A message of this subscription.
  /// - Returns: Its value, nil if it has none (a confirmation, an error).
  static func decode(_ message: Message) -> Element?
}
