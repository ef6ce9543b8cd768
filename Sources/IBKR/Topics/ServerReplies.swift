// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// An error that the server reports.
public struct ServerError: Sendable {
  /// The message, with its bytes, number and times.
  public let message: Message

  /// Everything that was said, by IBKR's names.
  public let row: Row

  /// Reads a message.
  ///
  /// - Parameter message: Any message; one whose object has an `error` key is an error, whatever its
  ///   topic.
  public init?(_ message: Message) {
    guard message.topic == .error || message.record.flags.contains(.error),
      let row = message.tree.flatMap({ Row($0) })
    else { return nil }
    self.message = message
    self.row = row
  }

  /// The server's words, which may name accounts.
  public var text: String { row["error"] ?? row["message"] ?? "" }
  /// The server's number; only 1, an unknown topic, is known.
  public var code: Int? { row.integer("code") }
  /// The topic as it stands in the message, nil if it names none.
  public var topic: String? { row["topic"] }
}

/// What the server says to an unsubscription; most feeds end without a word.
public enum Unsubscription: Sendable, Hashable {
  /// `Unsubscribed 341115`: a request for history, by its ``History/serverID``.
  case history(serverID: String)
  /// `unsubscribed from summary`, of which account is not said.
  case accountSummary
  /// `unsubscribed from ledger`, of which account is not said.
  case accountLedger
  /// Something else, in the server's words.
  case other(String)

  /// Reads a message.
  ///
  /// - Parameter message: Any message; most are no answer to an unsubscription.
  public init?(_ message: Message) {
    guard let body = message.body(of: .unsubscribed),
      let words = body["message"]?.string ?? body["result"]?.string
    else { return nil }
    self.init(words: words)
  }

  init(words: String) {
    let parts = words.split(separator: " ")
    switch parts.last {
    case "summary": self = .accountSummary
    case "ledger": self = .accountLedger
    case let id? where parts.count == 2 && parts[0] == "Unsubscribed":
      self = .history(serverID: String(id))
    default: self = .other(words)
    }
  }
}
