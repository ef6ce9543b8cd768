// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// Live orders (`sor`).
///
/// Without orders the server answers nothing at all, and the feed has been seen silent while orders
/// were filled. So the stream asks by REST before it subscribes, slowly ever after
/// (``StreamConfiguration/ordersPollInterval``), and after each gap; the answers come among the
/// feed's messages, and ``Message/kind`` tells them apart.
public struct OrdersFeed: Feed, Hashable {
  /// The one status to be told of, nil for all.
  public let status: OrderStatus?

  /// For how many days back orders are told, nil for the server's choice.
  public let days: Int?

  /// What is asked of the server.
  public var request: FeedRequest {
    var parameters: [JSONValue.Member] = []
    if let status { parameters.append(.init(key: "filters", value: .init(texts: [status.name]))) }
    if let days { parameters.append(.init(key: "days", value: .number("\(days)"))) }
    return FeedRequest(topic: .orders, target: "", parameters: parameters)
  }

  /// Reads a message as orders.
  ///
  /// - Parameter message: A message of this subscription.
  /// - Returns: The orders, nil for an error.
  public static func decode(_ message: Message) -> Orders? { Orders(message) }
}

extension Feed where Self == OrdersFeed {
  /// Live orders.
  ///
  /// - Parameter status: The one status to be told of, nil for all.
  /// - Returns: The feed.
  public static func orders(status: OrderStatus? = nil) -> OrdersFeed {
    OrdersFeed(status: status, days: nil)
  }

  /// Live orders, and those of some days back.
  ///
  /// - Parameters:
  ///   - status: The one status to be told of, nil for all.
  ///   - days: How many days back, 1 to 7.
  /// - Returns: The feed.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription` for other numbers of days.
  public static func orders(
    status: OrderStatus? = nil,
    days: Int
  ) throws(IbkrError) -> OrdersFeed {
    OrdersFeed(status: status, days: try FeedParameter.days(days))
  }
}

/// Checks of what several feeds take.
enum FeedParameter {
  static func days(_ days: Int) throws(IbkrError) -> Int {
    guard 1...7 ~= days else {
      throw IbkrError(
        .invalidSubscription,
        "the server does not replay \(days) days",
        remedy: "ask for 1 to 7"
      )
    }
    return days
  }
}
