// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A request that a simulator has seen, without anything secret: neither query nor headers.
public struct ServedRequest: Sendable, Hashable {
  /// The time of its answer, in milliseconds since the start of the simulator.
  public let milliseconds: Int64
  /// The method in capitals.
  public let method: String
  /// The path below `/v1/api`, as `/iserver/accounts`; `/ws` for a WebSocket.
  public let path: String
  /// The status of the answer, 101 for a WebSocket; nil if there never was one.
  public let status: Int?
}
