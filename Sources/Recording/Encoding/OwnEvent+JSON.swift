// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

extension OwnEvent {
  /// What the column `op` of `ch=raw` calls the event; nil for one that belongs to one subscriber
  /// only and not to the run.
  var name: String? {
    switch self {
    case .connection: "connection"
    case .session: "session"
    case .subscription: "subscription"
    case .gap: "gap"
    case .backfill: "backfill"
    case .dropped: nil
    }
  }

  /// Appends the event as a JSON object.
  ///
  /// - Parameters:
  ///   - run: The run that it is of.
  ///   - text: Where to put it.
  func appendJSON(of run: RunID, to text: inout LineBuffer) {
    switch self {
    case .connection(let state): Self.append(state, to: &text)
    case .session(let state): Self.append(state, to: &text)
    case .subscription(let key, let state):
      text.append("{")
      Self.append(key, to: &text)
      text.append(",\"state\":")
      Self.append(state, to: &text)
      text.append("}")
    case .gap(let gap): Self.append(gap, to: &text)
    case .backfill(let progress): progress.appendJSON(of: run, to: &text)
    case .dropped(let count, let range):
      text.append("{\"count\":")
      text.append(Int64(count))
      text.append(",\"seq_first\":")
      text.append(range.lowerBound)
      text.append(",\"seq_last\":")
      text.append(range.upperBound)
      text.append("}")
    }
  }

  private static func append(_ state: ConnectionState, to text: inout LineBuffer) {
    switch state {
    case .connecting(let attempt):
      text.append("{\"state\":\"connecting\",\"attempt\":")
      text.append(Int64(attempt))
    case .open: text.append("{\"state\":\"open\"")
    case .ready: text.append("{\"state\":\"ready\"")
    case .readingPaused: text.append("{\"state\":\"reading_paused\"")
    case .readingResumed(let nanoseconds):
      text.append("{\"state\":\"reading_resumed\",\"after_ns\":")
      text.append(nanoseconds)
    case .lost(let reason, let description, let nanoseconds):
      text.append("{\"state\":\"lost\",\"reason\":")
      text.append(string: reason.rawValue)
      text.append(",\"description\":")
      text.append(string: description)
      text.append(",\"retry_after_ns\":")
      text.append(nanoseconds)
    case .closed: text.append("{\"state\":\"closed\"")
    }
    text.append("}")
  }

  private static func append(_ state: SessionState, to text: inout LineBuffer) {
    text.append("{\"phase\":")
    if let phase = state.phase {
      text.append(string: phase.rawValue)
    } else {
      text.append("null")
    }
    text.append(",\"reason\":")
    text.append(string: state.reason)
    text.append(",\"connected\":")
    append(state.connected, to: &text)
    text.append(",\"authenticated\":")
    append(state.authenticated, to: &text)
    text.append(",\"established\":")
    append(state.established, to: &text)
    text.append(",\"competing\":")
    append(state.competing, to: &text)
    text.append(",\"failure\":")
    text.append(string: state.failure)
    text.append(",\"waiting_for_session\":")
    text.append(state.isWaitingForSession)
    text.append("}")
  }

  private static func append(_ flag: Bool?, to text: inout LineBuffer) {
    if let flag { text.append(flag) } else { text.append("null") }
  }

  private static func append(_ key: SubscriptionKey, to text: inout LineBuffer) {
    text.append("\"topic\":")
    text.append(string: key.topic.rawValue)
    text.append(",\"target\":")
    text.append(string: key.target)
    text.append(",\"conid\":")
    text.append(orNull: key.conid.map(Int64.init))
    text.append(",\"number\":")
    text.append(UInt64(key.number))
  }

  private static func append(_ state: SubscriptionState, to text: inout LineBuffer) {
    switch state {
    case .pending: text.append("\"pending\"")
    case .requested(let attempt):
      text.append("\"requested\",\"attempt\":")
      text.append(Int64(attempt))
    case .active: text.append("\"active\"")
    case .renewing: text.append("\"renewing\"")
    case .stale: text.append("\"stale\"")
    case .failed(let words):
      text.append("\"failed\",\"error\":")
      text.append(string: words)
    case .ended: text.append("\"ended\"")
    }
  }

  private static func append(_ gap: Gap, to text: inout LineBuffer) {
    text.append("{\"id\":")
    text.append(Int64(gap.id))
    text.append(",\"phase\":")
    switch gap.phase {
    case .began: text.append("\"began\"")
    case .ended: text.append("\"ended\"")
    case .abandoned: text.append("\"abandoned\"")
    }
    gap.appendSpan(to: &text)
    text.append(",\"reason\":")
    text.append(string: gap.reason.rawValue)
    text.append(",\"subscriptions\":[")
    for (index, key) in gap.subscriptions.enumerated() {
      text.append(index == 0 ? "{" : ",{")
      append(key, to: &text)
      text.append("}")
    }
    text.append("]")
    gap.appendDetection(to: &text)
    if gap.willBeFilled { text.append(",\"backfill\":\"pending\"") }
    text.append("}")
  }
}

extension Gap {
  /// Appends both ends, as members that follow others.
  func appendSpan(to text: inout LineBuffer, _ time: TimeFormat = .nanoseconds) {
    text.append(",\"ts_start\":")
    text.append(time: start.realtime, time)
    text.append(",\"ts_end\":")
    text.append(timeOrNull: end?.realtime, time)
    text.append(",\"mono_start\":")
    text.append(start.monotonic)
    text.append(",\"mono_end\":")
    text.append(orNull: end?.monotonic)
  }

  /// Appends how the gap was noticed and what is missing, as members that follow others.
  func appendDetection(to text: inout LineBuffer) {
    text.append(",\"detected_by\":")
    text.append(string: detectedBy)
    text.append(",\"count\":")
    if let count { text.append(count) } else { text.append("null") }
    text.append(",\"seq_first\":")
    text.append(seqFirst)
    text.append(",\"seq_last\":")
    if let seqLast { text.append(seqLast) } else { text.append("null") }
  }
}
