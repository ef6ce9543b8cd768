// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import IBKR
import JSON
import Logging

/// `ibkr auth status`: how the session is.
struct AuthStatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Ask the server how the session is.",
    discussion: """
      Examples:
        ibkr auth status --simulate
        ibkr auth status --json

      With OAuth this takes a live session token of its own, which a program that runs with the \
      same consumer key may notice. Nothing is opened and no other login ended.

      The exit code is 0 if market data can be had, 3 if not.
      """
  )

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup(title: "Logging") var log: LogOptions

  func run() async throws {
    let logger = log.logger(unlessAsked: .warning)
    let stop = try Stop()
    let isReady: Bool? = try await stop.unlessAsked {
      try await connection.withClient(logger: logger) { client in
        let state = try await client.authStatus()
        Output.write(report(state, await client.liveSessionTokenExpiration), to: STDOUT_FILENO)
        return state.isReady
      }
    }
    if isReady == false {
      throw IbkrError(
        .authentication,
        "the brokerage session is not ready",
        remedy: "ibkr doctor says what to do"
      )
    }
  }

  private func report(_ state: SessionState, _ expiration: Int64?) -> String {
    let flags: [(String, Bool?)] = [
      ("connected", state.connected), ("authenticated", state.authenticated),
      ("established", state.established), ("competing", state.competing),
      ("ready", state.isReady),
    ]
    if json {
      let members = flags.map { JSONValue.Member(key: $0, value: $1.map { .bool($0) } ?? .null) }
      let ends = expiration.map { JSONValue.number("\($0)") } ?? .null
      let all = members + [JSONValue.Member(key: "live_session_token_expires_ms", value: ends)]
      return JSONValue.object(all).text + "\n"
    }
    var lines = flags.map { name, value in
      "\(name): \(value.map { $0 ? "yes" : "no" } ?? "not said")"
    }
    if let expiration {
      let minutes = max(0, (expiration - Self.now) / 60_000)
      lines.append("live session token: ends in \(minutes / 60) h \(minutes % 60) min")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000
  }
}

/// `ibkr auth logout`: gives an OAuth session back.
struct AuthLogoutCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logout",
    abstract: "End the OAuth session, for every program that shares it.",
    discussion: """
      Examples:
        set -a; . keys/ibind.env; set +a; ibkr auth logout

      A gateway's session is never ended: it belongs to the person who logged in there with a \
      browser.
      """
  )

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup(title: "Logging") var log: LogOptions

  func run() async throws {
    let logger = log.logger()
    let stop = try Stop()
    try await stop.unlessAsked {
      try await connection.withClient(logger: logger) { client in try await client.logout() }
      logger.info("the session has been given back")
    }
  }
}
