// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Why data is missing.
public enum GapReason: String, Sendable, Hashable, CaseIterable {
  /// The connection was lost.
  case disconnect
  /// The session was not authenticated.
  case auth
  /// Another login took the session.
  case competing
  /// The servers were being maintained.
  case maintenance
  /// The subscription had expired, as far as can be known: it was silent, and the image that it was
  /// asked for held news. Where a price changed between the question and the image nothing is missing.
  case expired
  /// Nothing came although something should have.
  case silence
  /// A subscriber that must not lose anything could not take more.
  case overflow
  /// The machine slept.
  case machineSuspend = "machine_suspend"
  /// The recorder was not running.
  case processDown = "process_down"
}

/// A stretch of time in which data may have been sent that nobody received.
public struct Gap: Sendable, Hashable {
  /// Where a gap stands in its life.
  public enum Phase: Sendable, Hashable {
    /// It has just been noticed; nothing of its end is known.
    case began
    /// The instruments named here have data again.
    case ended
    /// The run ended before the instruments named here had data again.
    case abandoned
  }

  /// One end of a gap.
  public struct Moment: Sendable, Hashable {
    /// Nanoseconds since 1970.
    public var realtime: Int64
    /// Nanoseconds of the monotonic clock.
    public var monotonic: Int64

    /// Creates a moment from both clocks.
    public init(realtime: Int64, monotonic: Int64) {
      self.realtime = realtime
      self.monotonic = monotonic
    }
  }

  /// The number and time of this event.
  public package(set) var stamp = Stamp(seq: 0, realtime: 0, monotonic: 0)

  /// The gap's number in the run, from 1; beginning and end carry the same.
  public var id: Int

  /// Whether this tells of the beginning or of the end.
  public var phase: Phase

  /// The last proof of life before the gap.
  public var start: Moment

  /// When the last of these instruments had its first image again; nil unless ``phase`` is `ended`.
  public var end: Moment?

  /// Why.
  public var reason: GapReason

  /// How it was noticed, in words: `end of stream`, `no heartbeat for 30 s`, ….
  public var detectedBy: String

  /// The subscriptions concerned.
  public var subscriptions: [SubscriptionKey]

  /// How many events were lost, where that is known (`overflow`).
  public var count: UInt64?

  /// The number of the last event before the gap, 0 if there was none.
  public var seqFirst: UInt64

  /// The number of the first event after the gap, nil while it lasts.
  public var seqLast: UInt64?

  /// Whether the stream asks for the bars of this time (``StreamConfiguration/fillsGaps``); what comes
  /// of it is told by ``Event/backfill(_:at:)``.
  public package(set) var willBeFilled = false

  /// Creates a gap.
  package init(
    id: Int,
    phase: Phase,
    start: Moment,
    end: Moment? = nil,
    reason: GapReason,
    detectedBy: String,
    subscriptions: [SubscriptionKey],
    count: UInt64? = nil,
    seqFirst: UInt64,
    seqLast: UInt64? = nil
  ) {
    self.id = id
    self.phase = phase
    self.start = start
    self.end = end
    self.reason = reason
    self.detectedBy = detectedBy
    self.subscriptions = subscriptions
    self.count = count
    self.seqFirst = seqFirst
    self.seqLast = seqLast
  }

  /// The instruments concerned, in ascending order, each once.
  public var conids: [Int] { Set(subscriptions.compactMap(\.conid)).sorted() }
}
