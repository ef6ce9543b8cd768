// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A stretch of time of one instrument from which quotes are missing, and for which bars are asked.
///
/// Bars are no quotes: they say what became of the price in a minute, and are never mixed with what
/// was received. Their first one is that of the minute in which the stretch begins, their last one
/// that of the minute in which it ends.
public struct Backfill: Sendable, Hashable {
  /// The gap that is filled.
  public enum GapName: Sendable, Hashable {
    /// The gap of this run with this ``Gap/id``.
    case own(Int)
    /// A gap of another run, by the name that its recorder gave it: letters, digits and hyphens.
    case named(String)
  }

  /// The gap that is filled.
  public let gap: GapName

  /// The contract id.
  public let conid: Int

  /// The exchange whose data was recorded; nil for the server's choice.
  public let exchange: String?

  /// From when to when quotes are missing, in nanoseconds since 1970.
  public let range: Range<Int64>

  /// What the bars are made of; nil for trades.
  public let source: BarSource?

  /// Describes a stretch of time.
  ///
  /// - Parameters:
  ///   - gap: The gap that is filled.
  ///   - conid: The contract id.
  ///   - exchange: The exchange whose data was recorded; nil for the server's choice.
  ///   - range: From when to when quotes are missing, in nanoseconds since 1970.
  ///   - source: What the bars are to be made of; nil for trades and, where there are none, the
  ///     midpoint.
  public init(
    gap: GapName,
    conid: Int,
    exchange: String? = nil,
    range: Range<Int64>,
    source: BarSource? = nil
  ) {
    self.gap = gap
    self.conid = conid
    self.exchange = exchange
    // Times that no clock shows come from damaged files only.
    let first = min(max(range.lowerBound, 0), Self.latest)
    self.range = first..<min(max(range.upperBound, first + 1), Self.latest + 1)
    self.source = source
  }

  /// In the year 2096.
  private static let latest: Int64 = 4_000_000_000_000_000_000

  /// The instrument as a subscription names it: `265598`, `265598@ARCA`.
  public var target: String { exchange.map { "\(conid)@\($0)" } ?? "\(conid)" }

  /// How many bars there are if there is one for each minute; for each hour of more than a week.
  package var barCount: Int {
    let step = BackfillPage.Step(for: range)
    let aligned = step.aligned(range)
    return Int((aligned.upperBound - aligned.lowerBound) / step.length)
  }

  /// The same of another stretch of time, and of bars made of something else.
  func with(_ range: Range<Int64>, source: BarSource?) -> Backfill {
    Backfill(gap: gap, conid: conid, exchange: exchange, range: range, source: source)
  }
}

/// How far a ``Backfill`` has come.
public struct BackfillProgress: Sendable, Hashable {
  /// What there is to say of it.
  public enum State: String, Sendable, Hashable, CaseIterable {
    /// It was asked for in vain, and will be again.
    case pending
    /// There is a bar for each minute (each hour, if it is longer than a week).
    case done
    /// There are bars for some of the time.
    case partial
    /// There are none.
    case unavailable
  }

  /// What is filled.
  public var backfill: Backfill

  /// How far it has come.
  public var state: State

  /// Why it is not further, in words; empty where there is nothing to say.
  public var reason: String

  /// How many bars have been told.
  public var bars: Int

  /// What the server has given no final answer for; nil if there is nothing left to ask.
  public var rest: Range<Int64>?

  package init(
    _ backfill: Backfill,
    _ state: State,
    reason: String = "",
    bars: Int = 0,
    rest: Range<Int64>? = nil
  ) {
    self.backfill = backfill
    self.state = state
    self.reason = reason
    self.bars = bars
    self.rest = rest
  }
}
