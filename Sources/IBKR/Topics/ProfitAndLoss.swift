// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import JSON
public import OAuth1a

/// What an `spl` message says: profit and loss of the accounts, about once a second.
public struct ProfitAndLoss: Sendable {
  /// The message, with its bytes, number and times.
  public let message: Message

  /// One element per account and model.
  public private(set) var entries: [Entry]

  /// Reads a message.
  ///
  /// - Parameter message: Any message; there is nothing in one of another topic, or in an error.
  public init?(_ message: Message) {
    guard let body = message.body(of: .profitAndLoss), let members = body["args"]?.members else {
      return nil
    }
    self.message = message
    entries = members.compactMap { member in
      Row(member.value).map { Entry(key: Secret(member.key), row: $0) }
    }
  }

  /// Takes over what a later message says about some of the accounts.
  ///
  /// - Parameter later: The later message.
  public mutating func merge(_ later: ProfitAndLoss) { entries.merge(later.entries) }

  /// One account's figures; nil is what the message does not say.
  public struct Entry: Sendable, Equatable, RowBacked {
    /// What the server calls it: account and model, `DU1.Core`.
    public let key: Secret

    /// Everything that was said, by IBKR's names.
    public internal(set) var row: Row

    /// Reads an account's figures.
    package init(key: Secret, row: Row) {
      self.key = key
      self.row = row
    }

    var identity: String { key.exposedText }

    /// The account.
    public var account: Secret { Secret(key.exposedText.prefix { $0 != "." }) }

    /// The model, `Core` where there is none.
    public var model: String {
      let text = key.exposedText
      return text.firstIndex(of: ".").map { String(text[text.index(after: $0)...]) } ?? ""
    }

    /// Today's profit or loss.
    public var daily: Decimal? { row.decimal("dpl") }
    /// The net liquidation value.
    public var netLiquidation: Decimal? { row.decimal("nl") }
    /// The unrealised profit or loss.
    public var unrealized: Decimal? { row.decimal("upl") }
    /// The market value of the positions.
    public var marketValue: Decimal? { row.decimal("mv") }
    /// The excess liquidity; recorded as rounded.
    public var excessLiquidity: Decimal? { row.decimal("el") }
    /// The excess liquidity with all its digits.
    public var exactExcessLiquidity: Decimal? { row.decimal("uel") }
  }
}
