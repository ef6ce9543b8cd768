// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import GatewaySimulator
import OAuth1a
import Testing
import Transport

@testable import IBKR

/// A simulated api.ibkr.com and a client of it, on one loop with virtual time, without sockets.
struct VirtualServer {
  /// Keys take a moment to make, so all tests share one user.
  private static let sharedUser = Result { () throws(GatewaySimulatorError) in
    try SimulatedUser()
  }

  /// The user that the server knows.
  static var user: SimulatedUser { get throws { try sharedUser.get() } }

  /// What the user's environment holds, as an IBind user has it.
  static func environment() throws -> [String: String] {
    let user = try user
    return [
      "IBIND_USE_OAUTH": "True",
      "IBIND_OAUTH1A_REST_URL": "http://server:5000/v1/api/",
      "IBIND_OAUTH1A_WS_URL": "ws://server:5000/v1/api/ws",
      "IBIND_OAUTH1A_CONSUMER_KEY": user.consumerKey,
      "IBIND_OAUTH1A_ACCESS_TOKEN": user.accessToken.exposedText,
      "IBIND_OAUTH1A_ACCESS_TOKEN_SECRET": user.accessTokenSecret.exposedText,
      "IBIND_OAUTH1A_DH_PRIME": user.prime,
      "IBIND_OAUTH1A_ENCRYPTION_KEY": user.encryptionKeyPEM.exposedText,
      "IBIND_OAUTH1A_SIGNATURE_KEY": user.signatureKeyPEM.exposedText,
    ]
  }

  let loop: EventLoop
  let network: MemoryNetwork
  let tap: RequestTap
  let simulator: GatewaySimulator
  let client: IbkrClient

  /// - Parameters:
  ///   - variables: More of the environment.
  ///   - configure: Changes the client's configuration.
  ///   - simulate: Changes the server's.
  /// - Throws: If the loop or the simulator cannot be made.
  init(
    _ variables: [String: String] = [:],
    configure: (inout IbkrConfiguration) throws -> Void = { _ in },
    simulated simulate: (inout GatewaySimulatorConfiguration) -> Void = { _ in }
  ) async throws {
    let start = Timestamp(
      realtime: 1_777_552_110_000_000_000,
      monotonic: 1_000_000_000,
      boot: 1_000_000_000
    )
    loop = try EventLoop(virtual: start, advance: .onDemand)
    network = MemoryNetwork()
    tap = RequestTap(network)
    var simulated = GatewaySimulatorConfiguration()
    simulated.user = try Self.user
    simulate(&simulated)
    simulator = try await GatewaySimulator.start(
      simulated,
      listener: network.listen(host: "server", port: 5000, on: loop),
      loop: loop
    )
    var configuration = try IbkrConfiguration(
      environment: try Self.environment().merging(variables) { $1 }
    )
    try configure(&configuration)
    client = try IbkrClient(configuration: configuration, loop: loop, connector: tap)
  }

  /// Lets time pass.
  func pass(_ duration: Duration) async { await loop.advance(by: duration) }

  /// Does something with the client, and lets time pass until it is done.
  func perform<Value: Sendable>(
    within duration: Duration = .seconds(1),
    _ body: @escaping @Sendable (IbkrClient) async throws(IbkrError) -> Value
  ) async -> Result<Value, IbkrError> {
    let client = client
    let task = Task(executorPreference: loop) {
      await Result { () async throws(IbkrError) in try await body(client) }
    }
    await loop.advance(by: duration)
    return await task.value
  }

  /// Ends the simulator; the client may be closed or not.
  func end() async throws {
    try await simulator.stop()
    loop.stop()
  }
}

extension Result where Failure == IbkrError, Success: Sendable {
  /// `Result(catching:)` for what suspends.
  init(_ body: () async throws(IbkrError) -> Success) async {
    do throws(IbkrError) { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
