// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// Executions (`str`).
///
/// The server confirms at once with an empty message. The replay of past days comes in a burst,
/// every execution several times: ``Execution/isDuplicate`` tells which are known. After each gap the
/// stream asks for executions by REST as well, and the answer comes among the feed's messages.
public struct TradesFeed: Feed, Hashable {
  /// Whether only executions from now on are told, nil for the server's choice (all of today's).
  public let realtimeOnly: Bool?

  /// For how many days back executions are told, nil for the server's choice (1).
  public let days: Int?

  /// What is asked of the server.
  public var request: FeedRequest {
    var parameters: [JSONValue.Member] = []
    if let realtimeOnly {
      parameters.append(.init(key: "realtimeUpdatesOnly", value: .bool(realtimeOnly)))
    }
    if let days { parameters.append(.init(key: "days", value: .number("\(days)"))) }
    return FeedRequest(topic: .trades, target: "", parameters: parameters)
  }

  /// Reads a message as executions.
  ///
  /// - Parameter message: A message of this subscription.
  /// - Returns: The executions, nil for an error.
  public static func decode(_ message: Message) -> Trades? { Trades(message) }
}

extension Feed where Self == TradesFeed {
  /// Executions.
  ///
  /// - Parameter realtimeOnly: Whether only executions from now on are told, nil for the server's
  ///   choice (all of today's).
  /// - Returns: The feed.
  public static func trades(realtimeOnly: Bool? = nil) -> TradesFeed {
    TradesFeed(realtimeOnly: realtimeOnly, days: nil)
  }

  /// Executions, and those of some days back.
  ///
  /// - Parameters:
  ///   - realtimeOnly: Whether only executions from now on are told, nil for the server's choice.
  ///   - days: How many days back, 1 to 7.
  /// - Returns: The feed.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription` for other numbers of days.
  public static func trades(
    realtimeOnly: Bool? = nil,
    days: Int
  ) throws(IbkrError) -> TradesFeed {
    TradesFeed(realtimeOnly: realtimeOnly, days: try FeedParameter.days(days))
  }
}
