// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Something that goes wrong at a gateway.
public enum Fault: Sendable, Hashable {
  /// Every socket loses its TCP connection without a closing handshake.
  case dropConnections
  /// Every socket gets a close frame with this code.
  case closeConnections(code: UInt16)
  /// Nothing is accepted and every socket is dropped, as while a gateway restarts.
  case refuseConnections(for: Duration)
  /// Sockets stay open, but nothing comes through them, heartbeats included.
  case silence(for: Duration)
  /// Heartbeats go on, market data does not.
  case dataPause(for: Duration)
  /// The brokerage session is gone; its return is told, or not.
  case authenticationLoss(for: Duration, announcesReturn: Bool)
  /// Another login of the same user name holds the brokerage session.
  case competingLogin(for: Duration)
  /// The live session token of an OAuth login is no longer known: every request is answered 401.
  case tokenLoss
  /// The user logs in again: another session id, every socket closed with 1000.
  case newSession
}

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
  /// What happens, in any order.
  public let events: [Event]

  /// Makes a scenario.
  ///
  /// - Parameters:
  ///   - name: A name for messages.
  ///   - events: What happens.
  public init(name: String, events: [Event]) {
    self.name = name
    self.events = events
  }

  /// Nothing goes wrong.
  public static let steady = Scenario(name: "steady", events: [])

  /// The scenarios that can be chosen by name.
  public static let all = [
    steady,
    Scenario(
      name: "drops",
      events: (1...100).map { Event(.dropConnections, after: .seconds(20 * $0)) }
    ),
    Scenario(
      name: "restart",
      events: [Event(.refuseConnections(for: .seconds(15)), after: .seconds(20))]
    ),
    Scenario(name: "silence", events: [Event(.silence(for: .seconds(60)), after: .seconds(20))]),
    Scenario(
      name: "competing",
      events: [Event(.competingLogin(for: .seconds(60)), after: .seconds(20))]
    ),
    Scenario(
      name: "nightly-reset",
      events: [
        Event(.authenticationLoss(for: .seconds(300), announcesReturn: false), after: .seconds(30)),
        Event(.newSession, after: .seconds(330)),
      ]
    ),
  ]

  /// The scenario of a name, nil if there is none.
  ///
  /// - Parameter name: A name of `all`.
  /// - Returns: The scenario.
  public static func named(_ name: String) -> Scenario? {
    all.first { $0.name == name }
  }
}
