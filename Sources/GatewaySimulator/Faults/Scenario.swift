// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Faults at their times after the start of the simulator.
public struct Scenario: Sendable, Hashable {
  /// One fault at its time.
  public struct Event: Sendable, Hashable {
    /// The time after the start.
    public let after: Duration
    /// What happens.
    public let fault: Fault

    /// Makes an event.
    ///
    /// - Parameters:
    ///   - fault: What happens.
    ///   - after: The time after the start of the simulator.
    public init(_ fault: Fault, after: Duration) {
      self.fault = fault
      self.after = after
    }
  }

  /// The name by which the command line knows it.
  public let name: String
  /// One line for a list.
  public let summary: String
  /// What happens, in any order.
  public let events: [Event]

  /// Makes a scenario.
  ///
  /// - Parameters:
  ///   - name: A name for messages.
  ///   - summary: One line that says what happens.
  ///   - events: What happens.
  public init(name: String, summary: String = "", events: [Event]) {
    self.name = name
    self.summary = summary
    self.events = events
  }
}
