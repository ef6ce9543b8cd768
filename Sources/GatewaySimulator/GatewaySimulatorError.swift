// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Why a simulator could not be started, or has not done all that it should.
public struct GatewaySimulatorError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of failure.
  public struct Code: Sendable, Hashable {
    private enum Value { case certificate, credentials, listen, ledger, scenario, thread }
    private let value: Value
    private init(_ value: Value) { self.value = value }

    /// No certificate could be made.
    public static let certificate = Code(.certificate)
    /// The files of an OAuth user cannot be written.
    public static let credentials = Code(.credentials)
    /// The port cannot be had.
    public static let listen = Code(.listen)
    /// The ledger cannot be written.
    public static let ledger = Code(.ledger)
    /// The file of a scenario cannot be understood.
    public static let scenario = Code(.scenario)
    /// There is no thread for the simulator.
    public static let thread = Code(.thread)
  }

  /// The kind of failure.
  public let code: Code

  /// What happened, where, and what to do.
  public let description: String

  init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}
