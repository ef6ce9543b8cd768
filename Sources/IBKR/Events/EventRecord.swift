// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What a batch knows about one event: a flat value without references, so that working through a
/// batch counts no references.
package struct EventRecord: Sendable {
  /// What sort of event the record stands for.
  package enum Sort: UInt8, Sendable {
    /// A message or control frame; ``payload`` is its bytes.
    case message
    /// An event of our own; ``detail`` is its place in the batch's list of those.
    case own
    /// A loss of this subscriber; unnumbered. ``detail`` as for ``own``.
    case dropped
  }

  /// What is known of a message besides its bytes.
  package struct Flags: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Whether all of some flags are set.
    ///
    /// The one of `OptionSet` is, from another module, a call through a table.
    ///
    /// - Parameter flags: The flags.
    /// - Returns: Whether they are.
    @inlinable
    package func contains(_ flags: Flags) -> Bool { rawValue & flags.rawValue == flags.rawValue }

    /// The bytes are valid UTF-8.
    package static let utf8 = Flags(rawValue: 1)
    /// An image, not a market event.
    package static let snapshot = Flags(rawValue: 2)
    /// The object has an `error` key.
    package static let error = Flags(rawValue: 4)
    /// All that the message tells has been told before.
    package static let duplicate = Flags(rawValue: 8)
    /// The event is read from a recording, which has secrets replaced in it.
    package static let redacted = Flags(rawValue: 16)
    /// A field of the quote has a number in it.
    package static let value = Flags(rawValue: 32)
  }

  /// The number in the run; 0 for ``Sort/dropped``.
  package var seq: UInt64
  /// Nanoseconds since 1970.
  package var realtime: Int64
  /// Nanoseconds of `CLOCK_MONOTONIC`.
  package var monotonic: Int64
  /// The server's time (`_updated`) in milliseconds since 1970, `Int64.min` for none.
  package var updated = Int64.min
  /// A digest of the request that a quote answers (`server_id`), 0 for none.
  package var request: UInt64 = 0
  /// A digest of a quote's fields, in whatever order they stand; 0 without fields.
  package var digest: UInt64 = 0
  /// The instrument, 0 for none.
  package var conid = 0
  /// Where the message's bytes start in the batch's.
  package var offset = 0
  /// How many bytes the message has.
  package var length = 0
  /// Where the verbatim topic (`smd+265598`) starts, counted from ``offset``.
  package var topicOffset: UInt32 = 0
  /// How long the verbatim topic is; 0 when the message has none.
  package var topicLength: UInt32 = 0
  /// Where the places of a quote's fields start in the batch's.
  package var fieldOffset: UInt32 = 0
  /// How many fields the quote has.
  package var fieldCount: UInt32 = 0
  /// ``SubscriptionKey/number`` of the subscription that the message belongs to, 0 for none.
  package var subscription: UInt32 = 0
  /// The index of an own event's value; of a message that repeats only some of its parts, one more
  /// than the index of its marks; of an answer with the bars of a gap, one more than the index of what
  /// is filled.
  package var detail: UInt32 = 0
  /// What sort of event this is.
  package var sort: Sort
  /// Which way a message went.
  package var direction = Direction.inbound
  /// The kind of a message's frame.
  package var kind = FrameKind.text
  /// What a message is about; nil for control frames and own events.
  package var topic: Topic?
  /// What else is known of a message.
  package var flags: Flags = []

  /// Stands for an event that a recorder has of itself.
  ///
  /// - Parameter stamp: Its number and time.
  /// - Returns: The record.
  package static func own(_ stamp: Stamp) -> EventRecord {
    EventRecord(
      seq: stamp.seq,
      realtime: stamp.realtime,
      monotonic: stamp.monotonic,
      sort: .own
    )
  }

  /// Number and time together.
  package var stamp: Stamp { Stamp(seq: seq, realtime: realtime, monotonic: monotonic) }

  /// The range of the message's bytes in the batch's.
  package var payload: Range<Int> { offset..<offset + length }

  /// The range of the places of a quote's fields in the batch's.
  package var fields: Range<Int> { Int(fieldOffset)..<Int(fieldOffset) + Int(fieldCount) }

  /// The server's time in nanoseconds since 1970; nil if there is none, or if it is out of range.
  package var tsEvent: Int64? {
    if updated == .min { return nil }
    let (nanoseconds, overflow) = updated.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? nil : nanoseconds
  }
}

/// An event that is ours and not the wire's.
package enum OwnEvent: Sendable {
  case connection(ConnectionState)
  case session(SessionState)
  case subscription(SubscriptionKey, SubscriptionState)
  case gap(Gap)
  case dropped(count: Int, range: ClosedRange<UInt64>)
  case backfill(BackfillProgress)
}
