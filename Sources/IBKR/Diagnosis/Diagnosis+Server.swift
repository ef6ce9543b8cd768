// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import HTTPClient
import HTTPTunnel
public import Logging
import OAuth1a
package import Transport

extension Diagnosis {
  /// Looks at the way to the server and at the session there, from the name to a quote.
  ///
  /// With OAuth it logs in, which a program that runs with the same consumer key may notice, and
  /// opens the brokerage session if there is none; another login is never ended for it, and no
  /// session is given back.
  ///
  /// - Parameters:
  ///   - configuration: Where the server is, and how to log in.
  ///   - logger: Where problems are told that are no check of their own.
  public mutating func examineServer(
    _ configuration: IbkrConfiguration,
    logger: Logger = Logger(label: "ibkr")
  ) async {
    await examineServer(
      configuration,
      loop: nil,
      connector: NetworkConnector(),
      resolver: SystemResolver.shared,
      logger: logger
    )
  }

  /// Looks at a server through other means, for tests.
  package mutating func examineServer(
    _ configuration: IbkrConfiguration,
    loop: EventLoop?,
    connector: any Connector,
    resolver: any Resolver,
    logger: Logger = Logger(label: "ibkr")
  ) async {
    var configuration = configuration
    // Each step is taken by hand here, so that each can be told of.
    configuration.oauth?.initOAuth = false
    configuration.oauth?.shutdownOAuth = false
    let client: IbkrClient
    do throws(IbkrError) {
      client = try IbkrClient(
        configuration: configuration,
        loop: loop,
        connector: connector,
        logger: logger
      )
    } catch {
      let names = Step.all.map(\.name) + Self.session
      if isConfigurationFailed { return skip(names, .network, because: "configuration failed") }
      note(Check("configuration", .configuration, .failed, error.what, remedy: error.remedy))
      return
    }
    if await examineWay(to: client, resolver) {
      if isConfigurationFailed {
        // A login that cannot succeed is not to be tried at somebody's server.
        skip(Self.session, .session, because: "the configuration has to be put right first")
      } else {
        await examineSession(of: client)
      }
    }
    await client.close()
  }

  private var isConfigurationFailed: Bool {
    checks.contains { $0.outcome == .failed && $0.area == .configuration }
  }

  private static let session = ["login", "session", "competing", "market-data", "socket"]

  /// From the name to an answer.
  private mutating func examineWay(to client: IbkrClient, _ resolver: any Resolver) async -> Bool {
    let later = Self.session.filter { client.usesOAuth || $0 != "login" }
    for (index, step) in Step.all.enumerated() {
      let check = await step.check(client, resolver)
      note(check)
      if check.outcome == .failed, step.isNeeded {
        skip(Step.all.dropFirst(index + 1).map(\.name), .network, because: "\(step.name) failed")
        skip(later, .session, because: "\(step.name) failed")
        return false
      }
    }
    return true
  }

  /// One part of the way to the server.
  private struct Step: Sendable {
    let name: String
    /// Whether nothing behind it can be looked at if it fails.
    let isNeeded: Bool
    let check: @Sendable (isolated IbkrClient, any Resolver) async -> Check

    static let all = [
      Step(name: "dns", isNeeded: true, check: WayToServer.name),
      Step(name: "tcp", isNeeded: true) { client, _ in await WayToServer.connection(client) },
      Step(name: "tls", isNeeded: true) { client, _ in await WayToServer.encryption(client) },
      Step(name: "clock", isNeeded: false) { client, _ in await WayToServer.clock(client) },
    ]
  }
}
