// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import Flow
import IBKR
public import Recording

/// Whether a recorder does what it is for, and if not, why.
///
/// A process can be alive and record nothing; that is what this is about. A market that is closed is
/// no fault: nothing is missing then, and the client says so by not declaring a gap.
public struct HealthVerdict: Sendable, Hashable {
  /// Why it is not well, in words, the gravest first; empty if it is.
  public var troubles: [String] = []

  /// Whether only a new process may help: nothing has happened for so long in a stream that should
  /// be busy that something in it must be stuck.
  public var isStuck = false

  /// Whether everything is as it should be.
  public var isHealthy: Bool { troubles.isEmpty }

  /// How long something may be wrong before it counts: a lost connection is usually back by then.
  public static let patience = Duration.seconds(30)

  /// How long data may be missing, while everything is connected and logged in, before the process
  /// counts as stuck.
  ///
  /// Asking again, checking by REST and connecting anew all come before.
  public static let stuckAfter = Duration.seconds(300)

  /// Judges.
  ///
  /// - Parameters:
  ///   - vitals: How the stream is getting on.
  ///   - recorder: How the recorder is getting on; nil if nothing is recorded.
  ///   - now: The time.
  ///   - patience: How long something may be wrong before it counts.
  ///   - stuckAfter: How long data may be missing without a reason outside before the process counts
  ///     as stuck.
  public init(
    _ vitals: Vitals,
    recorder: RecordingFigures?,
    at now: Timestamp,
    patience: Duration = Self.patience,
    stuckAfter: Duration = Self.stuckAfter
  ) {
    let patience = patience.nanoseconds
    if let failure = recorder?.failure { troubles.append("nothing can be written: \(failure)") }
    judgeConnection(vitals, at: now.monotonic, patience)
    judgeGaps(vitals, at: now.monotonic, patience)
    judgeSubscriptions(vitals, at: now.monotonic, patience)
    isStuck = Self.isStuck(vitals, at: now.monotonic, after: stuckAfter.nanoseconds)
  }

  private mutating func judgeConnection(_ vitals: Vitals, at now: Int64, _ patience: Int64) {
    if let session = vitals.session, let phase = session.value.phase, phase.isTrouble,
      now - session.monotonic > patience
    {
      var text = "the session is \(phase.rawValue) for \(Self.words(now - session.monotonic))"
      if !session.value.reason.isEmpty { text += ": \(session.value.reason)" }
      if let remedy = session.value.remedy { text += "; to do: \(remedy)" }
      troubles.append(text)
    }
    if let since = vitals.disconnected, now - since > patience {
      var text = "no connection for \(Self.words(now - since))"
      if !vitals.lastLoss.isEmpty { text += ": \(vitals.lastLoss)" }
      troubles.append(text)
    }
  }

  private mutating func judgeGaps(_ vitals: Vitals, at now: Int64, _ patience: Int64) {
    for gap in vitals.openGaps.values.sorted(by: { $0.id < $1.id })
    where now - gap.start.monotonic > patience {
      let count = gap.subscriptions.count
      troubles.append(
        "data of \(count) subscription\(count == 1 ? "" : "s") is missing for "
          + "\(Self.words(now - gap.start.monotonic)): \(gap.reason.rawValue), \(gap.detectedBy)"
      )
    }
  }

  private mutating func judgeSubscriptions(_ vitals: Vitals, at now: Int64, _ patience: Int64) {
    // Without a connection none of them can be well, and that has been said.
    guard vitals.disconnected == nil else { return }
    var waiting = 0
    for (key, state) in vitals.subscriptions {
      switch state.value {
      case .failed(let words):
        // An account may be the target; a conid never tells a secret.
        let name = key.conid.map { "\(key.topic.rawValue)+\($0)" } ?? key.topic.rawValue
        troubles.append("the server refuses \(name): \(words)")
      case .pending, .requested, .stale:
        if now - state.monotonic > patience { waiting += 1 }
      case .active, .renewing, .ended: break
      }
    }
    if waiting > 0 {
      troubles.append("\(waiting) subscription\(waiting == 1 ? "" : "s") without an answer")
    }
  }

  /// Nothing outside explains that data is missing, or not even an attempt to connect is seen.
  private static func isStuck(_ vitals: Vitals, at now: Int64, after limit: Int64) -> Bool {
    if now - vitals.lastEvent > limit { return true }
    guard vitals.disconnected == nil else { return false }
    if let phase = vitals.session?.value.phase, phase.isTrouble { return false }
    return vitals.openGaps.values.contains { now - $0.start.monotonic > limit }
  }

  /// A length of time in words.
  private static func words(_ nanoseconds: Int64) -> String {
    let seconds = nanoseconds / 1_000_000_000
    if seconds < 120 { return "\(seconds) s" }
    if seconds < 7_200 { return "\(seconds / 60) min" }
    return "\(seconds / 3_600) h"
  }
}

extension SessionPhase {
  /// Whether nothing can be streamed in it for a reason that is not the client's.
  fileprivate var isTrouble: Bool {
    switch self {
    case .loggedOut, .competing, .maintenance: true
    case .liveSessionToken, .brokerageSession, .established, .ready, .degraded: false
    }
  }
}
