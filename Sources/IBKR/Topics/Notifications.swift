// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// What an `ntf` message says to the user.
public struct Notifications: Sendable {
  /// The message, with its bytes, number and times.
  public let message: Message

  /// What it says; documented as one object, recorded as an array.
  public let items: [Item]

  /// Reads a message.
  ///
  /// - Parameter message: Any message; there is nothing in one of another topic, or in an error.
  public init?(_ message: Message) {
    guard let body = message.body(of: .notification), let rows = Message.rows(body["args"])
    else { return nil }
    self.message = message
    items = rows.map { Item(row: $0) }
  }

  /// One notification, which may be a question about an order.
  public struct Item: Sendable, Hashable {
    /// Everything that was said, by IBKR's names.
    public let row: Row

    /// The number of a notification; a question has ``requestID``.
    public var id: String? { row["id"] }
    /// The text.
    public var text: String? { row["text"] }
    /// The title.
    public var title: String? { row["title"] }
    /// Where there is more to read.
    public var url: String? { row["url"] }

    /// Whether an answer is wanted, by `POST /iserver/notification`; the order waits for it.
    public var isQuestion: Bool {
      row.flag("prompt") == true || row.contains("orderId") || row.contains("messageId")
    }

    /// The order that a question is about.
    public var orderID: Int? { row.integer("orderId") }
    /// The number of a question, to be named in the answer.
    public var requestID: String? { row["reqId"] }
    /// Which question it is: `p12`.
    public var messageID: String? { row["messageId"] }
    /// The answers to choose from.
    public var options: [String] { row.value("options")?.elements?.compactMap(\.string) ?? [] }
  }
}

/// What a `blt` message says: bulletins of the exchanges and of IBKR.
public struct Bulletins: Sendable {
  /// The message, with its bytes, number and times.
  public let message: Message

  /// The bulletins; documented as one object, recorded as an array.
  public let items: [Item]

  /// Reads a message.
  ///
  /// - Parameter message: Any message; there is nothing in one of another topic, or in an error.
  public init?(_ message: Message) {
    guard let body = message.body(of: .bulletin), let rows = Message.rows(body["args"])
    else { return nil }
    self.message = message
    items = rows.map { Item(row: $0) }
  }

  /// One bulletin.
  public struct Item: Sendable, Hashable {
    /// Everything that was said, by IBKR's names.
    public let row: Row

    /// Its number.
    public var id: String? { row["id"] }
    /// The text.
    public var text: String? { row["message"] }

    /// The exchanges that it is about.
    public var exchanges: [String] {
      if let list = row.value("exchanges")?.elements { return list.compactMap(\.string) }
      return row["exchanges"].map { [$0] } ?? []
    }
  }
}
