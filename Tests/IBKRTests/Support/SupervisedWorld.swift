// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import JSON

@testable import IBKR

/// A server in a few flags, a clock, and a supervisor between them: hours in microseconds.
struct SupervisedWorld {
  /// What the server is like.
  struct Server {
    var isReachable = true
    var answersInTime = true
    var hasToken = false
    var hasLogin = true
    var isGone = false
    var isAuthenticated = false
    var isEstablished = true
    var isCompeting = false
    /// Whether `ssodh/init` helps.
    var opens = true
    /// Whether too many requests were made, and what `Retry-After` says.
    var isLimiting = false
    var retryAfter: Int64?
    var session: UInt64 = 1
    var tokenLifetime: Int64? = 86_400_000_000_000
  }

  struct Request {
    let at: Int64
    let call: SessionSupervisor.Call
    let wasAnswered: Bool
  }

  static let second: Int64 = 1_000_000_000
  /// 2026-04-30 12:00 UTC, 08:00 in New York: in no window of any region but at the time it is.
  static let noon: Int64 = 1_777_550_400 * second

  var server = Server()
  var supervisor: SessionSupervisor
  private(set) var now: Timestamp
  private(set) var requests: [Request] = []
  private(set) var phases: [(at: Int64, phase: SessionPhase)] = []
  private(set) var actions: [SessionSupervisor.Action] = []
  let start: Int64

  init(
    _ rules: SessionSupervisor.Rules,
    realtime: Int64 = Self.noon,
    seed: UInt64 = 1
  ) {
    supervisor = SessionSupervisor(rules, random: Jitter(seed: seed))
    start = 10 * Self.second
    now = Timestamp(realtime: realtime, monotonic: start, boot: start)
    if rules.login == .gateway { server.isAuthenticated = true }
  }

  /// The rules of an OAuth session that waits for ever.
  static var oauth: SessionSupervisor.Rules {
    var rules = SessionSupervisor.Rules()
    rules.login = .oauth
    rules.compete = .start
    rules.patience = nil
    return rules
  }

  /// The rules of a gateway that is waited for.
  static var gateway: SessionSupervisor.Rules {
    var rules = SessionSupervisor.Rules()
    rules.patience = nil
    return rules
  }

  var seconds: Int64 { (now.monotonic - start) / Self.second }

  /// The names of the calls since some request.
  func calls(since index: Int = 0) -> [String] { requests.dropFirst(index).map { "\($0.call)" } }

  /// The phases, each once.
  var path: [SessionPhase] { phases.map(\.phase) }

  /// Lets time pass, in which the supervisor does what it has to.
  mutating func pass(_ seconds: Int64) {
    let end = now.monotonic + seconds * Self.second
    while true {
      if supervisor.isAdmitted, connect() { continue }
      let due = max(supervisor.deadline ?? .max, now.monotonic)
      guard due <= end else { break }
      now = now.advanced(by: due - now.monotonic)
      guard let call = supervisor.next(at: now) else { continue }
      make(call)
    }
    now = now.advanced(by: max(0, end - now.monotonic))
  }

  /// The machine sleeps: the monotonic clock stands still, and the socket is dead when it wakes.
  mutating func sleep(_ seconds: Int64) {
    now.realtime += seconds * Self.second
    now.boot += seconds * Self.second
    drop()
  }

  /// The socket says something.
  mutating func say(_ text: String) {
    guard let message = try? JSONValue(parsing: Array(text.utf8)) else { return }
    let topic: Topic = message["topic"]?.string == "sts" ? .status : .system
    note(supervisor.receive(topic, message, at: now))
  }

  /// The socket breaks.
  mutating func drop() {
    guard supervisor.link != .none else { return }
    let loss = ConnectionLoss(.disconnect, "cut", error: IbkrError(.network, "cut"))
    note(supervisor.disconnected(loss, at: now))
  }

  /// Something changes, and an open socket is told of it, or not.
  mutating func change(isTold: Bool, _ body: (inout Server) -> Void) {
    body(&server)
    if isTold, supervisor.isGreeted {
      say(#"{"topic":"sts","args":{"authenticated":\#(isIn),"competing":\#(server.isCompeting)}}"#)
    }
  }

  // MARK: - The server

  private var isIn: Bool { server.isAuthenticated && !server.isCompeting }

  private var status: SessionState {
    var state = SessionState()
    state.connected = server.hasLogin
    state.authenticated = isIn
    state.established = server.isEstablished
    state.competing = server.isCompeting
    return state
  }

  private mutating func connect() -> Bool {
    supervisor.connecting()
    now = now.advanced(by: 50_000_000)
    guard server.isReachable else {
      let loss = ConnectionLoss(.disconnect, "refused", error: IbkrError(.network, "refused"))
      note(supervisor.disconnected(loss, at: now))
      return true
    }
    supervisor.opened()
    say(#"{"topic":"system","success":"user"}"#)
    say(
      #"{"topic":"sts","args":{"connected":true,"authenticated":\#(isIn),"#
        + #""established":\#(server.isEstablished),"competing":\#(server.isCompeting)}}"#
    )
    return true
  }

  private mutating func make(_ call: SessionSupervisor.Call) {
    let refusal = refusal(of: call)
    requests.append(Request(at: now.monotonic, call: call, wasAnswered: refusal == nil))
    let isSlow = refusal == .unanswered && !server.answersInTime
    now = now.advanced(by: isSlow ? 15 * Self.second : 20_000_000)
    if let refusal {
      let code: IbkrError.Code = refusal == .unanswered ? .timeout : .authentication
      note(supervisor.refused(refusal, IbkrError(code, "refused \(refusal)"), at: now))
    } else {
      note(supervisor.answered(answer(to: call), at: now))
    }
  }

  private func refusal(of call: SessionSupervisor.Call) -> SessionSupervisor.Refusal? {
    if !server.isReachable || !server.answersInTime { return .unanswered }
    if server.isLimiting { return .limited(retryAfter: server.retryAfter) }
    if supervisor.rules.login == .gateway {
      if !server.hasLogin { return .unauthorized }
    } else if call != .generateToken {
      if server.isGone { return .gone }
      if !server.hasToken { return .unauthorized }
    }
    return call == .accounts && !isIn ? .unauthorized : nil
  }

  private mutating func answer(to call: SessionSupervisor.Call) -> SessionSupervisor.Answer {
    switch call {
    case .generateToken:
      server.hasToken = true
      server.isGone = false
      return .token(lifetime: server.tokenLifetime)
    case .status: return .status(status)
    case .openSession(let compete):
      if server.opens, compete || !server.isCompeting {
        server.isAuthenticated = true
        server.isCompeting = false
      }
      return .opened(status)
    case .accounts: return .accounts
    case .tickle: return .tickle(session: server.session, status)
    }
  }

  private mutating func note(_ new: [SessionSupervisor.Action]) {
    actions += new
    for action in new {
      switch action {
      case .changed(let state):
        if let phase = state.phase, phases.last?.phase != phase {
          phases.append((seconds, phase))
        }
      case .reconnect(let reason, let words):
        let loss = ConnectionLoss(reason, words, error: IbkrError(.authentication, words))
        note(supervisor.disconnected(loss, at: now))
      case .greeted, .sendSession, .suspended, .failed:
        break
      }
    }
  }
}
