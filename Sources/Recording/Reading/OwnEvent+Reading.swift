// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

extension OwnEvent {
  /// Reads what `ch=raw` keeps of an event.
  ///
  /// - Parameters:
  ///   - name: The column `op`.
  ///   - value: The event.
  init?(_ name: String, _ value: JSONValue) {
    switch name {
    case "subscription":
      guard let key = SubscriptionKey(value), let word = value["state"]?.string,
        let state = SubscriptionState(word, value)
      else { return nil }
      self = .subscription(key, state)
    case "gap":
      guard let gap = Gap(value) else { return nil }
      self = .gap(gap)
    case "connection":
      guard let state = ConnectionState(value) else { return nil }
      self = .connection(state)
    case "backfill":
      guard let progress = BackfillProgress(value) else { return nil }
      self = .backfill(progress)
    case "session":
      self = .session(SessionState(value))
    default: return nil
    }
  }
}

extension ConnectionState {
  fileprivate init?(_ value: JSONValue) {
    switch value["state"]?.string {
    case "connecting": self = .connecting(attempt: value["attempt"]?.int ?? 1)
    case "open": self = .open
    case "ready": self = .ready
    case "reading_paused": self = .readingPaused
    case "reading_resumed": self = .readingResumed(after: Int64(value["after_ns"]?.int ?? 0))
    case "lost":
      guard let reason = value["reason"]?.string.flatMap(GapReason.init(rawValue:)) else {
        return nil
      }
      self = .lost(
        reason,
        description: value["description"]?.string ?? "",
        retryAfter: Int64(value["retry_after_ns"]?.int ?? 0)
      )
    case "closed": self = .closed
    default: return nil
    }
  }
}

extension SessionState {
  fileprivate init(_ value: JSONValue) {
    self.init()
    phase = value["phase"]?.string.flatMap(SessionPhase.init(rawValue:))
    reason = value["reason"]?.string ?? ""
    connected = value["connected"]?.bool
    authenticated = value["authenticated"]?.bool
    established = value["established"]?.bool
    competing = value["competing"]?.bool
    failure = value["failure"]?.string ?? ""
    isWaitingForSession = value["waiting_for_session"]?.bool ?? false
  }
}

extension SubscriptionKey {
  fileprivate init?(_ value: JSONValue) {
    guard let topic = value["topic"]?.string.flatMap(Topic.init(rawValue:)),
      let target = value["target"]?.string,
      let number = value["number"]?.int.flatMap(UInt32.init(exactly:))
    else { return nil }
    self.init(topic: topic, target: target, conid: value["conid"]?.int, number: number)
  }
}

extension SubscriptionState {
  fileprivate init?(_ word: String, _ value: JSONValue) {
    switch word {
    case "pending": self = .pending
    case "requested": self = .requested(attempt: value["attempt"]?.int ?? 1)
    case "active": self = .active
    case "renewing": self = .renewing
    case "stale": self = .stale
    case "failed": self = .failed(value["error"]?.string ?? "")
    case "ended": self = .ended
    default: return nil
    }
  }
}

extension Gap {
  fileprivate init?(_ value: JSONValue) {
    guard let id = value["id"]?.int, let word = value["phase"]?.string,
      let phase = Phase(word: word), let start = Moment(value, "ts_start", "mono_start"),
      let reason = value["reason"]?.string.flatMap(GapReason.init(rawValue:)),
      let detectedBy = value["detected_by"]?.string,
      let seqFirst = value["seq_first"]?.int.flatMap(UInt64.init(exactly:)),
      let keys = value["subscriptions"]?.elements
    else { return nil }
    self.init(
      id: id,
      phase: phase,
      start: start,
      end: Moment(value, "ts_end", "mono_end"),
      reason: reason,
      detectedBy: detectedBy,
      subscriptions: keys.compactMap(SubscriptionKey.init),
      count: value["count"]?.int.flatMap(UInt64.init(exactly:)),
      seqFirst: seqFirst,
      seqLast: value["seq_last"]?.int.flatMap(UInt64.init(exactly:))
    )
    willBeFilled = value["backfill"]?.string == BackfillProgress.State.pending.rawValue
  }
}

extension Gap.Phase {
  fileprivate init?(word: String) {
    switch word {
    case "began": self = .began
    case "ended": self = .ended
    case "abandoned": self = .abandoned
    default: return nil
    }
  }
}

extension Gap.Moment {
  fileprivate init?(_ value: JSONValue, _ realtime: String, _ monotonic: String) {
    guard let time = value[realtime]?.int, let steady = value[monotonic]?.int else { return nil }
    self.init(realtime: Int64(time), monotonic: Int64(steady))
  }
}
