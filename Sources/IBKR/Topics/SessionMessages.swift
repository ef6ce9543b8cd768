// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
public import OAuth1a

/// What a `system` message says: the greeting, then a heartbeat every ten seconds.
public struct SystemMessage: Sendable {
  /// The message, with its bytes, number and times.
  public let message: Message

  /// Everything that was said, by IBKR's names.
  public let row: Row

  /// Reads a message.
  ///
  /// - Parameter message: Any message; there is nothing in one of another topic, or in an error.
  public init?(_ message: Message) {
    guard let row = message.body(of: .system).flatMap({ Row($0) }) else { return nil }
    self.message = message
    self.row = row
  }

  /// Whether the server greets: commands reach it from now on.
  public var isGreeting: Bool { row.contains("success") }
  /// The user whom it greets.
  public var user: Secret? { row.secret("success") }
  /// Whether the account trades paper only.
  public var isPaper: Bool? { row.flag("isPaper") }
  /// The server's clock in a heartbeat, in nanoseconds since 1970.
  public var heartbeat: Int64? { row.milliseconds("hb") }
}

/// What an `sts` message says: the state of the session, all of it at first and then what changed.
public struct StatusUpdate: Sendable {
  /// The message, with its bytes, number and times.
  public let message: Message

  /// Everything that was said, by IBKR's names.
  public private(set) var row: Row

  /// Reads a message.
  ///
  /// - Parameter message: Any message; there is nothing in one of another topic, or in an error.
  public init?(_ message: Message) {
    guard let row = message.body(of: .status).flatMap({ Row($0["args"]) }) else { return nil }
    self.message = message
    self.row = row
  }

  /// Whether the server has a line to the trading backend; nil is unchanged, here and below.
  public var connected: Bool? { row.flag("connected") }
  /// Whether the brokerage session is authenticated.
  public var authenticated: Bool? { row.flag("authenticated") }
  /// Whether account data is loaded.
  public var established: Bool? { row.flag("established") }
  /// Whether another login of the same user name holds the session.
  public var competing: Bool? { row.flag("competing") }
  /// The server's word.
  public var words: String? { row["message"] }
  /// The server's word about a failure.
  public var failure: String? { row["fail"] }
  /// The server that answers.
  public var serverName: String? { row["serverName"] }
  /// Its version.
  public var serverVersion: String? { row["serverVersion"] }
  /// The user.
  public var user: Secret? { row.secret("username") }

  /// Takes over what a later message says.
  ///
  /// - Parameter later: The later message.
  public mutating func merge(_ later: StatusUpdate) { row.merge(later.row) }
}

/// What an `act` message says: the accounts of the session and what they may do.
public struct SessionAccounts: Sendable {
  /// The message, with its bytes, number and times.
  public let message: Message

  /// Everything that was said, by IBKR's names.
  public let row: Row

  /// Reads a message.
  ///
  /// - Parameter message: Any message; there is nothing in one of another topic, or in an error.
  public init?(_ message: Message) {
    guard let row = message.body(of: .accounts).flatMap({ Row($0["args"]) }) else { return nil }
    self.message = message
    self.row = row
  }

  /// The accounts.
  public var accounts: [Secret] {
    row.value("accounts")?.elements?.compactMap { $0.string.map { Secret($0) } } ?? []
  }

  /// The account that requests without one are about.
  public var selected: Secret? { row.secret("selectedAccount") }

  /// The properties of an account: `supportsFractions`, ….
  ///
  /// - Parameter account: One of ``accounts``.
  /// - Returns: The properties, nil if there are none of this account.
  public func properties(of account: Secret) -> Row? {
    Row(row.value("acctProps")?[account.exposedText])
  }

  /// The name that the user gave an account.
  ///
  /// - Parameter account: One of ``accounts``.
  /// - Returns: The name, often the account itself.
  public func alias(of account: Secret) -> Secret? {
    row.value("aliases")?[account.exposedText]?.string.map { Secret($0) }
  }

  /// What the session may do: `allowEventTrading`, ….
  public var features: Row? { Row(row.value("allowFeatures")) }
  /// The asset classes that may be traded.
  public var assetTypes: [String] {
    (features?["allowedAssetTypes"] ?? "").split(separator: ",").map(String.init)
  }
  /// Whether the account trades paper only.
  public var isPaper: Bool? { row.flag("isPaper") }
  /// An internal id, not the session of `tickle`.
  public var sessionID: Secret? { row.secret("sessionId") }
  /// The server that answers.
  public var serverName: String? { row.value("serverInfo")?["serverName"]?.string }
  /// Its version.
  public var serverVersion: String? { row.value("serverInfo")?["serverVersion"]?.string }
}

/// What a `tic` message says: the answer to a keep-alive.
///
/// One gateway answered every `tic` four times: the same ``lastAccessed`` tells (protocol reference
/// 4.8).
public struct KeepAlive: Sendable {
  /// The message, with its bytes, number and times.
  public let message: Message

  /// Everything that was said, by IBKR's names.
  public let row: Row

  /// Reads a message.
  ///
  /// - Parameter message: Any message; there is nothing in one of another topic, or in an error.
  public init?(_ message: Message) {
    guard let row = message.body(of: .tic).flatMap({ Row($0) }) else { return nil }
    self.message = message
    self.row = row
  }

  /// Whether the session lives.
  public var isAlive: Bool? { row.flag("alive") }
  /// The session of `tickle`.
  public var session: Secret? { row.secret("id") }
  /// When the server last heard of it, in nanoseconds since 1970.
  public var lastAccessed: Int64? { row.milliseconds("lastAccessed") }
}
