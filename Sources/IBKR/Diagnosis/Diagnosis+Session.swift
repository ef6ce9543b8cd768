// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import JSON
import OAuth1a
import Transport
import WebSocket

extension Diagnosis {
  /// From the login to a quote, at a server that answers.
  mutating func examineSession(of client: IbkrClient) async {
    if client.usesOAuth {
      do throws(IbkrError) {
        try await client.generateLiveSessionToken()
        note(Check("login", .session, .passed, "a live session token was given and checked"))
      } catch {
        note(Self.failed("login", error))
        skip(
          ["session", "competing", "market-data", "socket"],
          .session,
          because: "login failed"
        )
        return
      }
    }
    guard let state = await examineState(of: client) else { return }
    guard state.isReady else {
      skip(["market-data", "socket"], .session, because: "the session is not ready")
      return
    }
    await examineMarketData(client)
    await examineSocket(of: client)
  }

  /// The brokerage session, and who else wants it.
  private mutating func examineState(of client: IbkrClient) async -> SessionState? {
    let state: SessionState
    do throws(IbkrError) {
      state = try await Self.state(of: client)
    } catch {
      note(Self.failed("session", error))
      skip(["competing", "market-data", "socket"], .session, because: "session failed")
      return nil
    }
    note(Self.session(state, client))
    if state.competing == true {
      note(
        Check(
          "competing",
          .session,
          .failed,
          "another login of the same user name holds the brokerage session",
          remedy: "log out there (TWS, the mobile app, another program), or use a user name of "
            + "its own for the API; `record --compete start` ends the other one"
        )
      )
    } else {
      note(Check("competing", .session, .passed, "no other login of the same user name"))
    }
    return state
  }

  /// What the session is like, opened with OAuth if nobody has.
  private static func state(of client: IbkrClient) async throws(IbkrError) -> SessionState {
    var state = try await client.authStatus()
    guard client.usesOAuth, state.authenticated != true, state.competing != true else {
      return state
    }
    state = try await client.initializeBrokerageSession(compete: false)
    // It takes a moment until account data is there.
    for _ in 0..<10 where !state.isReady && state.competing != true {
      do { try await client.loop.sleep(for: .seconds(2)) } catch { break }
      state = try await client.authStatus()
    }
    return state
  }

  private static func session(_ state: SessionState, _ client: IbkrClient) -> Check {
    let words = state.failure.isEmpty ? "" : "; the server says: \(state.failure)"
    if state.authenticated != true {
      return Check(
        "session",
        .session,
        .failed,
        "the brokerage session is not authenticated\(words)",
        remedy: client.usesOAuth
          ? "around midnight and on Saturday evening IBKR restarts its servers: try again later; "
            + "if it stays so, generate the access token again"
          : "log in at \(client.base.origin) in a browser on the gateway's machine"
      )
    }
    if state.established == false {
      return Check(
        "session",
        .session,
        .failed,
        "the brokerage session is authenticated, but not established\(words)",
        remedy: "wait half a minute and try again; if it stays so, log in again"
      )
    }
    return Check("session", .session, .passed, "the brokerage session is ready")
  }

  // MARK: Market data

  /// What the server says about the data of a stock that everybody knows.
  private mutating func examineMarketData(_ client: IbkrClient) async {
    do throws(IbkrError) {
      try await client.accounts()
      note(Self.marketData(try await Self.availability(with: client)))
    } catch {
      note(Self.failed("market-data", error))
    }
  }

  /// The availability code (field 6509) of AAPL; nil if none came.
  private static func availability(
    with client: IbkrClient
  ) async throws(IbkrError) -> String? {
    // The first answer opens a stream in the server and has no data in it; mostly the second has.
    for _ in 0..<5 {
      let answer = try await client.call(
        .get,
        "iserver/marketdata/snapshot",
        query: [("conids", "265598"), ("fields", "31,6509")]
      )
      if let code = answer[0]?["6509"]?.string, !code.isEmpty { return code }
      do { try await client.loop.sleep(for: .seconds(1)) } catch { return nil }
    }
    return nil
  }

  /// What an availability code means (protocol reference 5.3).
  static func marketData(_ code: String?) -> Check {
    func check(
      _ outcome: Check.Outcome,
      _ finding: String,
      _ remedy: String? = nil
    ) -> Check {
      Check("market-data", .session, outcome, finding, remedy: remedy)
    }
    let subscribe =
      "subscribe in Client Portal under Settings, Market Data Subscriptions; it counts for one "
      + "user name only"
    switch code?.first {
    case "R": return check(.passed, "AAPL comes in real time")
    case "Z": return check(.passed, "AAPL is frozen at the close, with real-time permission")
    case "D": return check(.warning, "AAPL comes 15 to 20 minutes late", subscribe)
    case "Y": return check(.warning, "AAPL is frozen and late", subscribe)
    case "N": return check(.warning, "AAPL is not subscribed to: no data will come", subscribe)
    case "O":
      return check(
        .warning,
        "the yearly acknowledgement of the market-data API is not signed",
        "sign it in Client Portal under Settings, API"
      )
    case nil:
      return check(
        .warning,
        "no data for AAPL within 5 s",
        "try again in a minute: a new session takes up to 90 s; then look at the subscriptions"
      )
    default:
      return check(.warning, "an availability that nobody has documented", nil)
    }
  }

  // MARK: The socket

  /// Whether the WebSocket opens and greets.
  private mutating func examineSocket(of client: IbkrClient) async {
    let origin = client.webSocketURL.origin
    do {
      let tickle = try await client.tickle()
      var options = WebSocketConfiguration()
      options.text = .tolerant
      options.trust = client.configuration.trust
      options.proxy = client.configuration.proxy(for: client.webSocketURL.host)
      options.headers = client.webSocketHeaders(session: tickle.session).map {
        WebSocketHeader($0.name, $0.value)
      }
      let socket = try await WebSocketConnection.connect(
        to: client.webSocketURL,
        configuration: options,
        connector: client.connector,
        loop: client.loop
      )
      let isGreeted = await Self.isGreeted(socket, on: client.loop)
      await socket.close()
      note(
        isGreeted
          ? Check("socket", .session, .passed, "\(origin) opens and greets")
          : Check(
            "socket",
            .session,
            .failed,
            "\(origin) opens, but does not greet within 10 s",
            remedy: client.usesOAuth
              ? "try again in a minute; if it stays so, look at the state of IBKR's systems"
              : "restart the gateway and log in again: its own connection to IBKR is missing"
          )
      )
    } catch let error as IbkrError {
      note(Self.failed("socket", error))
    } catch {
      note(
        Check(
          "socket",
          .network,
          .failed,
          "\(error)",
          remedy: "look for a proxy or firewall that lets HTTP pass and WebSockets not"
        )
      )
    }
  }

  /// Whether `system` with `success` comes, before which nothing may be sent (protocol reference
  /// 1.4).
  private static func isGreeted(_ socket: WebSocketConnection, on loop: EventLoop) async -> Bool {
    let deadline = loop.schedule(at: loop.deadline(after: .seconds(10))) {
      Task(executorPreference: loop) { await socket.close() }
    }
    defer { loop.cancel(deadline) }
    do {
      for try await message in socket.messages {
        guard let value = try? JSONValue(parsing: message.bytes) else { continue }
        if value["topic"]?.string == "system", value["success"] != nil { return true }
      }
    } catch {
      return false
    }
    return false
  }

  private static func failed(_ name: String, _ error: IbkrError) -> Check {
    let area: Check.Area =
      switch error.code {
      case .network, .timeout, .untrusted, .unexpectedAnswer: .network
      case .invalidConfiguration: .configuration
      default: .session
      }
    return Check(
      name,
      area,
      .failed,
      error.what,
      remedy: error.remedy ?? "try again in a minute"
    )
  }
}
