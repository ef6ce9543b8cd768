// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What happens to a subscriber that is slower than the stream, and how far it may fall behind.
public struct OverflowPolicy: Sendable, Hashable {
  /// What to do when the bound is reached.
  public enum Action: Sendable, Hashable {
    /// Stop reading the socket until there is room. For the one log that must be complete.
    case backpressure
    /// Forget the oldest events that wait.
    case dropOldest
    /// Forget the events that come.
    case dropNewest
    /// Keep of the quotes that wait only the newest of each instrument; if even those are too many,
    /// forget the oldest events that wait.
    case latestPerInstrument
    /// End this subscriber's sequence: what waits, the loss that cannot be helped, then an error.
    case fail
  }

  /// What to do when a bound is reached.
  public var action: Action

  /// How many events may wait.
  public var maximumEvents: Int

  /// How many bytes may wait.
  public var maximumBytes: Int

  /// Creates a policy.
  ///
  /// - Parameters:
  ///   - action: What to do when a bound is reached.
  ///   - maximumEvents: How many events may wait; at least 1.
  ///   - maximumBytes: How many bytes may wait; at least 1.
  public init(_ action: Action, maximumEvents: Int = 8_192, maximumBytes: Int = 16 << 20) {
    self.action = action
    self.maximumEvents = max(1, maximumEvents)
    self.maximumBytes = max(1, maximumBytes)
  }

  /// Stop reading the socket until there is room.
  public static var backpressure: OverflowPolicy { OverflowPolicy(.backpressure) }

  /// Keep of the waiting quotes only the newest of each instrument.
  ///
  /// A quote carries only what has changed since the one before: take the values from
  /// ``IbkrWsClient/book``, which has seen them all.
  public static var latestPerInstrument: OverflowPolicy { OverflowPolicy(.latestPerInstrument) }

  /// End this subscriber's sequence with an error.
  public static var fail: OverflowPolicy { OverflowPolicy(.fail) }

  /// Forget the oldest of more than so many waiting events.
  ///
  /// - Parameter maximumEvents: How many events may wait.
  /// - Returns: The policy.
  public static func dropOldest(_ maximumEvents: Int = 8_192) -> OverflowPolicy {
    OverflowPolicy(.dropOldest, maximumEvents: maximumEvents)
  }

  /// Forget what comes when so many events wait.
  ///
  /// - Parameter maximumEvents: How many events may wait.
  /// - Returns: The policy.
  public static func dropNewest(_ maximumEvents: Int = 8_192) -> OverflowPolicy {
    OverflowPolicy(.dropNewest, maximumEvents: maximumEvents)
  }
}
