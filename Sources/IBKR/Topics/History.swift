// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import JSON

/// What an `smh` message says: the bars of one instrument.
///
/// The server answers once and keeps the request open until it is unsubscribed by ``serverID``.
public struct History: Sendable {
  /// The message, with its bytes, number and times.
  public let message: Message

  /// Everything that was said besides the bars, by IBKR's names.
  public let row: Row

  /// The bars, the oldest first.
  public let bars: [Bar]

  /// Reads a message.
  ///
  /// - Parameter message: Any message; there is nothing in one of another topic, or in an error.
  public init?(_ message: Message) {
    guard let body = message.body(of: .history), let row = Row(body) else { return nil }
    self.message = message
    self.row = row
    let factor = row.integer("volumeFactor") ?? 1
    bars = (Message.rows(body["data"]) ?? []).map { Bar(row: $0, volumeFactor: factor) }
  }

  /// What the request is unsubscribed by.
  public var serverID: String? { row["serverId"] }
  /// The instrument.
  public var conid: Int? { message.conid }
  /// The symbol.
  public var symbol: String? { row["symbol"] }
  /// The company.
  public var companyName: String? { row["text"] }
  /// How many seconds a bar spans.
  public var barSeconds: Int? { row.integer("barLength") }
  /// The period that was asked for, in seconds with an `s`: `7200s`.
  public var period: String? { row["timePeriod"] }
  /// When the first bar begins: `20210317-18:00:00`, UTC.
  public var start: String? { row["startTime"] }
  /// The highest price times ``priceFactor``, its volume and its minute: `12586/14469/65`.
  public var high: String? { row["high"] }
  /// The lowest price, written like ``high``.
  public var low: String? { row["low"] }
  /// By what the prices in ``high`` and ``low`` are multiplied.
  public var priceFactor: Decimal? { row.decimal("priceFactor") }
  /// The availability code, as field 6509 has it.
  public var availability: String? { row["mdAvailability"] }
  /// By how many seconds the data is delayed.
  public var delay: Int? { row.integer("mktDataDelay") }
  /// Whether the bars span more than the regular trading hours.
  public var outsideRegularHours: Bool? { row.flag("outsideRth") }

  /// One bar; a value that the request left out is nil.
  public struct Bar: Sendable, Hashable {
    /// Everything that was said, by IBKR's names.
    public let row: Row

    private let volumeFactor: Int

    /// Reads a bar.
    ///
    /// - Parameters:
    ///   - row: The bar's object.
    ///   - volumeFactor: By what the answer wants volumes multiplied.
    package init(row: Row, volumeFactor: Int) {
      self.row = row
      self.volumeFactor = volumeFactor
    }

    /// When the bar begins, in nanoseconds since 1970.
    public var time: Int64? { row.milliseconds("t") }
    /// The first price.
    public var open: Decimal? { row.decimal("o") }
    /// The highest price.
    public var high: Decimal? { row.decimal("h") }
    /// The lowest price.
    public var low: Decimal? { row.decimal("l") }
    /// The last price.
    public var close: Decimal? { row.decimal("c") }

    /// The volume, already multiplied by the answer's `volumeFactor`; nil if it is too large.
    public var volume: Decimal? {
      guard let volume = row.decimal("v") else { return nil }
      let (product, overflow) = volume.mantissa.multipliedReportingOverflow(
        by: Int128(volumeFactor)
      )
      return overflow ? nil : Decimal(mantissa: product, exponent: volume.exponent)
    }
  }
}
