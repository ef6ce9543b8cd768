// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import Transport

/// A subscriber beside the one that sees everything, and how slow it is.
struct ListenerPlan: Sendable {
  let policy: OverflowPolicy
  /// When it stops taking events, and for how long.
  let stallsAfter: Duration
  let stall: Duration
  /// How long it takes for every event from then on.
  var pause = Duration.zero

  /// Takes everything, as fast or slowly as it is.
  func listen(to events: EventStream, on loop: EventLoop) async -> ListenerAccount {
    var account = ListenerAccount(policy: policy)
    let stallTime = loop.deadline(after: stallsAfter)
    var hasStalled = false
    do {
      for try await event in events {
        account.take(event)
        if !hasStalled, loop.now >= stallTime {
          hasStalled = true
          try await loop.sleep(for: stall)
        } else if hasStalled, pause > .zero {
          try await loop.sleep(for: pause)
        }
      }
    } catch {
      account.hasFailed = (error as? IbkrError)?.code == .overflow
      if !account.hasFailed { account.problems.append("it ended with \(error)") }
    }
    return account
  }
}

/// What a subscriber was given and what it was told to have lost.
struct ListenerAccount: Sendable {
  let policy: OverflowPolicy
  /// The numbers of what the server sent, with digests.
  private(set) var taken: [(seq: UInt64, digest: Int)] = []
  /// How many events it was told to have lost.
  private(set) var told = 0
  /// The last event that it has, or knows to have lost.
  private var last: UInt64 = 0
  private var pending: (count: Int, range: ClosedRange<UInt64>)?
  /// Whether it ended because it was too slow.
  var hasFailed = false
  var problems: [String] = []

  init(policy: OverflowPolicy) {
    self.policy = policy
  }

  mutating func take(_ event: Event) {
    if case .dropped(let count, let range) = event {
      told += count
      pending = (
        (pending?.count ?? 0) + count,
        min(pending?.range.lowerBound ?? .max, range.lowerBound)...range.upperBound
      )
      return
    }
    guard let seq = event.seq else { return }
    reach(seq)
    last = seq
    if case .message(let message) = event, message.isFromServer {
      taken.append((seq, message.digest))
    }
  }

  /// What it was told must be what is missing before an event, no more and no less.
  private mutating func reach(_ seq: UInt64) {
    guard seq > last else { return problems.append("event \(seq) came after event \(last)") }
    let missing = seq - last - 1
    let range = pending?.range ?? seq...seq
    if missing != UInt64(pending?.count ?? 0) {
      problems.append("\(missing) events are missing before \(seq), told: \(pending?.count ?? 0)")
    } else if missing > 0, range.lowerBound <= last || range.upperBound >= seq {
      problems.append("a loss was told of \(range), and lies between \(last) and \(seq)")
    }
    pending = nil
  }

  /// Holds the account against what the subscriber that sees everything was given.
  ///
  /// - Returns: What is wrong with it, and how many messages of the server it was told to have lost.
  mutating func conclude(
    _ all: [(seq: UInt64, digest: Int)],
    lastSeq: UInt64
  ) -> (problems: [String], lost: Int) {
    // Who fails is told the last loss and gets nothing afterwards.
    if hasFailed { last = max(last, pending?.range.upperBound ?? last) } else { reach(lastSeq + 1) }
    if hasFailed != (policy.action == .fail && told > 0) {
      problems.append(hasFailed ? "it failed" : "it lost events and did not fail")
    }
    let known = all.prefix { hasFailed ? $0.seq <= last : true }
    var rest = taken[...]
    for (seq, digest) in known {
      guard let next = rest.first, next.seq == seq else { continue }
      if next.digest != digest { problems.append("event \(seq) has other bytes") }
      rest = rest.dropFirst()
    }
    if let foreign = rest.first { problems.append("event \(foreign.seq) is nobody else's") }
    return (problems, known.count - taken.count)
  }
}

extension Message {
  /// Whether it is a message or a ping of the server.
  var isFromServer: Bool {
    direction == .inbound && (kind == .text || kind == .binary || kind == .ping)
  }

  /// A digest for telling bytes apart in this process.
  var digest: Int {
    var hasher = Hasher()
    withBytes { bytes in
      for index in bytes.indices { hasher.combine(bytes[index]) }
    }
    return hasher.finalize()
  }
}
