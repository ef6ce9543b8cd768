// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1
import JSON
public import OAuth1a
import Transport

/// The answer to a `tickle`.
public struct Tickle: Sendable, Equatable {
  /// The session, of which the socket's cookie is made.
  ///
  /// It changes after a new login or a reset.
  public let session: Secret

  /// What the answer says of the brokerage session.
  public let status: SessionState
}

/// The accounts of the login.
public struct Accounts: Sendable, Equatable {
  /// Their numbers.
  public let identifiers: [Secret]

  /// The one that calls are about which name none.
  public let selected: Secret?

  /// Whether they hold play money.
  public let isPaper: Bool?
}

extension IbkrClient {
  /// Keeps the session alive and asks for it (protocol reference 3.2).
  ///
  /// - Returns: The session and its state.
  /// - Throws: ``IbkrError``; with `authentication` if nobody is logged in.
  public func tickle() async throws(IbkrError) -> Tickle {
    session.lastTickle = loop.now
    let answer = try await call(.post, "tickle")
    guard let identifier = answer["session"]?.string, !identifier.isEmpty else {
      throw unexpected("without a session", from: "POST tickle")
    }
    let status = answer["iserver"]?["authStatus"].map { SessionState(answer: $0) }
    return Tickle(session: Secret(identifier), status: status ?? SessionState())
  }

  /// Asks how the brokerage session is (protocol reference 3.3).
  ///
  /// - Returns: Its state.
  /// - Throws: ``IbkrError``; with `authentication` if nobody is logged in.
  public func authStatus() async throws(IbkrError) -> SessionState {
    SessionState(answer: try await call(.post, "iserver/auth/status"))
  }

  /// Asks for the accounts, which also opens them for market data (protocol reference 3.5).
  ///
  /// - Returns: The accounts.
  /// - Throws: ``IbkrError``; with `authentication` if nobody is logged in.
  @discardableResult
  public func accounts() async throws(IbkrError) -> Accounts {
    let answer = try await call(.get, "iserver/accounts")
    guard let accounts = answer["accounts"]?.elements else {
      throw unexpected("without accounts", from: "GET iserver/accounts")
    }
    return Accounts(
      identifiers: accounts.compactMap { $0.string.map { Secret($0) } },
      selected: answer["selectedAccount"]?.string.map { Secret($0) },
      isPaper: answer["isPaper"]?.bool
    )
  }

  /// Keeps the session alive until the task is cancelled or the client is closed.
  ///
  /// A tickle that fails is reported like one that does not, and the next one is made all the same:
  /// the session may come back.
  ///
  /// - Parameter report: Gets each answer.
  public func runTickler(
    reporting report: (Result<Tickle, IbkrError>) async -> Void = { _ in }
  ) async {
    while !Task.isCancelled {
      let started = loop.now
      let result: Result<Tickle, IbkrError>
      do throws(IbkrError) { result = .success(try await tickle()) } catch {
        if error.code == .closed { return }
        result = .failure(error)
      }
      await report(result)
      do { try await loop.sleep(until: started + configuration.ticklerInterval.nanoseconds) } catch
      { return }
    }
  }
}

extension SessionState {
  /// Reads the flags of a status object; one that is missing stays unknown.
  init(answer: JSONValue) {
    self.init()
    connected = answer["connected"]?.bool
    authenticated = answer["authenticated"]?.bool
    established = answer["established"]?.bool
    competing = answer["competing"]?.bool
    failure = ServerWords.sanitized(answer["fail"]?.string ?? "")
  }
}
