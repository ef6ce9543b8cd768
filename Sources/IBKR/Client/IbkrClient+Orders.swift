// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import JSON

/// The orders of the day, as REST tells them.
public struct OrderList: Sendable, Hashable {
  /// The orders, each whole.
  public let orders: [OrderUpdate]

  /// Whether the server has looked; nil if it does not say.
  ///
  /// The first answer of a session says false and holds nothing, whether there are orders or not.
  public let isSnapshot: Bool?
}

extension IbkrClient {
  /// Asks for the orders of the day (protocol reference 6.6): once in five seconds, by the server's
  /// limits.
  ///
  /// A call before the feed of orders makes the feed speak. It never filters: a filtered call would
  /// silence it.
  ///
  /// - Parameter forced: Whether the server is to forget what it has kept of them; such an answer is
  ///   empty, and the next one, five seconds later, is fresh.
  /// - Returns: The orders.
  /// - Throws: ``IbkrError``; with `authentication` if there is no brokerage session.
  public func orders(forced: Bool = false) async throws(IbkrError) -> OrderList {
    let answer = try await askForOrders(forced: forced)
    return OrderList(
      orders: (Message.rows(answer.value["orders"]) ?? []).map { OrderUpdate(row: $0) },
      isSnapshot: answer.value["snapshot"]?.bool
    )
  }

  /// Asks for executions (protocol reference 6.6): once in five seconds, by the server's limits.
  ///
  /// The first answer of a session may be empty though there are some.
  ///
  /// - Parameter days: How many days back, 1 to 7; nil for today.
  /// - Returns: The executions, those of one order with different ids.
  /// - Throws: ``IbkrError``; with `authentication` if there is no brokerage session.
  public func executions(days: Int? = nil) async throws(IbkrError) -> [Execution] {
    let answer = try await askForExecutions(days: days)
    return (Message.rows(answer.value) ?? []).map { Execution(row: $0) }
  }

  func askForOrders(forced: Bool) async throws(IbkrError) -> Answer {
    let answer = try await answer(
      .get,
      "iserver/account/orders",
      query: forced ? [("force", "true")] : []
    )
    // A forced one has been seen without any.
    guard forced || answer.value["orders"]?.elements != nil else {
      throw unexpected("without orders", from: "GET iserver/account/orders")
    }
    return answer
  }

  func askForExecutions(days: Int?) async throws(IbkrError) -> Answer {
    if let days { _ = try FeedParameter.days(days) }
    let answer = try await answer(
      .get,
      "iserver/account/trades",
      query: days.map { [("days", "\($0)")] } ?? []
    )
    guard answer.value.elements != nil else {
      throw unexpected("without a list of executions", from: "GET iserver/account/trades")
    }
    return answer
  }
}
