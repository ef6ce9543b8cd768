// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import IBKR
import Logging

extension ConnectionOptions {
  /// Does something with the server that is meant, a simulated one if that was asked for.
  ///
  /// - Parameter body: Gets a function that reads the configuration.
  /// - Returns: What `body` returns.
  /// - Throws: What `body` throws, or why there is no simulator.
  func withServer<Result: Sendable>(
    _ body: (_ read: () throws -> IbkrConfiguration) async throws -> Result
  ) async throws -> Result {
    guard simulate else { return try await body(configuration) }
    var simulated = GatewaySimulatorConfiguration()
    if oauth { simulated.user = try SimulatedUser() }
    let simulator = try await GatewaySimulator.start(simulated)
    do {
      let result = try await body { configuration(of: simulator, simulated.user) }
      try await simulator.stop()
      return result
    } catch {
      try? await simulator.stop()
      throw error
    }
  }

  /// Does something with a client that does nothing by itself; with OAuth it has a live session
  /// token.
  ///
  /// - Parameters:
  ///   - logger: Where problems are told that are no errors.
  ///   - body: Gets the client, which is closed at the end.
  /// - Returns: What `body` returns.
  /// - Throws: What `body` throws, or why there is no client.
  func withClient<Result: Sendable>(
    logger: Logger,
    _ body: (IbkrClient) async throws -> Result
  ) async throws -> Result {
    try await withServer { read in
      var configuration = try read()
      configuration.oauth?.initOAuth = false
      configuration.oauth?.shutdownOAuth = false
      let client = try IbkrClient(configuration: configuration, logger: logger)
      do {
        if client.usesOAuth { try await client.generateLiveSessionToken() }
        let result = try await body(client)
        await client.close()
        return result
      } catch {
        await client.close()
        throw error
      }
    }
  }

  /// Opens the brokerage session where nobody has, for calls that need it.
  ///
  /// A question is no reason to throw out another login, so that takes `--compete`.
  ///
  /// - Parameter client: The client; at a gateway a person has opened the session.
  /// - Throws: `IbkrError`.
  func openBrokerageSession(of client: IbkrClient) async throws {
    guard client.usesOAuth else { return }
    try await client.initializeBrokerageSession(compete: compete != nil && compete != .never)
  }

  private func configuration(
    of simulator: GatewaySimulator,
    _ user: SimulatedUser?
  ) -> IbkrConfiguration {
    var configuration = IbkrConfiguration()
    configuration.restURL = simulator.url
    configuration.trust = .authorities(pem: simulator.caPEM)
    if let user {
      var oauth = OAuth1aConfig()
      oauth.restURL = simulator.url
      oauth.webSocketURL = "wss" + simulator.url.dropFirst("https".count) + "/ws"
      oauth.consumerKey = user.consumerKey
      oauth.accessToken = user.accessToken
      oauth.accessTokenSecret = user.accessTokenSecret
      oauth.encryptionKey = user.encryptionKeyPEM
      oauth.signatureKey = user.signatureKeyPEM
      oauth.dhPrime = user.prime
      oauth.competesAtStart = compete != .never
      configuration.oauth = oauth
    }
    return configuration
  }
}
