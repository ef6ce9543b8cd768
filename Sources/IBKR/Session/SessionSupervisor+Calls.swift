// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

extension SessionSupervisor {
  typealias Wish = (call: Call, due: Int64)

  /// The call that is due first.
  var wish: Wish? {
    guard inFlight == nil, link != .opening, link != .open else { return nil }
    var wishes: [Wish] = []
    switch token {
    case .missing where rules.generatesToken:
      return (.generateToken, notBefore)
    case .missing:
      // Somebody else has to get one; an answer will show that it is there.
      return (.status, max(notBefore, nextPoll))
    case .held(let renewAt):
      if let renewAt { wishes.append((.generateToken, max(notBefore, renewAt))) }
    }
    if link == .greeted {
      if rules.tickles { wishes.append((.tickle, tickleDue)) }
      if mustAsk || !isUsable { wishes.append(repair) }
    } else if let step {
      wishes.append(step)
    }
    return wishes.min { $0.due < $1.due }
  }

  /// The next step towards a connection, nil if only the connection is missing.
  private var step: Wish? {
    // At a gateway somebody has logged in, or nobody has: `tickle` says so and gives the cookie. With
    // OAuth the status is asked for first: opening a session that is open resets it (protocol
    // reference 3.4).
    if !hasStatus {
      return rules.login == .gateway ? (.tickle, spacedTickle) : (.status, notBefore)
    }
    if mustAsk || !flags.isReady { return repair }
    if !hasAccounts { return (.accounts, notBefore) }
    return hasCookie ? nil : (.tickle, spacedTickle)
  }

  private var spacedTickle: Int64 {
    max(notBefore, lastTickle.map { $0 + Self.tickleSpacing } ?? .min)
  }

  private var tickleDue: Int64 { max(spacedTickle, nextTickle) }

  /// What may bring back a session that cannot be used.
  private var repair: Wish {
    if mustAsk { return (.status, notBefore) }
    let poll = (call: Call.status, due: max(notBefore, nextPoll))
    let opening = (
      call: Call.openSession(compete: mayCompete),
      due: max(notBefore, nextOpening, mayCompete ? nextCompeting : .min)
    )
    let isWorthOpening = flags.competing == true ? mayCompete : flags.authenticated != true
    return isWorthOpening && mayOpen && opening.due <= poll.due ? opening : poll
  }

  /// Whether `ssodh/init` may be called.
  ///
  /// At a gateway it brings back a brokerage session that timed out while the login lives (protocol
  /// reference 3.1). Where it has not helped a person is called for, and it is tried all the same:
  /// what was in its way may pass, a reset for instance.
  private var mayOpen: Bool {
    guard rules.opensSession else { return false }
    return rules.login == .oauth || flags.connected == true
  }

  /// Whether another login may be thrown out now.
  var mayCompete: Bool {
    switch rules.compete {
    case .never: false
    case .start: !hasCompeted && !hasBeenReady
    case .always: true
    }
  }

  // MARK: - Pauses

  /// Until the status is asked for again.
  mutating func pollPause(at now: Timestamp) -> Int64 {
    if flags.competing == true { return slowPolls.next(using: &random).nanoseconds }
    if flags.authenticated == true { return quickPolls.next(using: &random).nanoseconds }
    if rules.calendar.window(at: now.realtime) != nil {
      return slowPolls.next(using: &random).nanoseconds
    }
    return .random(in: 10_000_000_000...15_000_000_000, using: &random)
  }

  /// Until `ssodh/init` is called again after it did not help (protocol reference 7.2, number 17).
  func openingPause(at now: Timestamp) -> Int64 {
    if rules.calendar.window(at: now.realtime) != nil { return 60_000_000_000 }
    switch openings {
    case 0: return 0
    case 1: return 5_000_000_000
    case 2: return 15_000_000_000
    default: return 60_000_000_000
    }
  }

  /// Until anything is asked for after a 429 (protocol reference 3.8).
  ///
  /// The penalty box lasts for 10 or 15 min, but a session that is silent for 5 ends. So it is
  /// probed, with one request at a time.
  mutating func limitPause(retryAfter: Int64?) -> Int64 {
    let second: Int64 = 1_000_000_000
    limits += 1
    let pause = retryAfter.map { min(max($0, second), 3_600 * second) }
    let probing = min(60 << Int64(min(limits, 4) - 1), 300) * second
    return (pause ?? probing) + .random(in: 0...second, using: &random)
  }
}
