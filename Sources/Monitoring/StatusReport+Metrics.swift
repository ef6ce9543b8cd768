// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import Recording

extension StatusReport {
  /// As metrics; names and units by https://prometheus.io/docs/practices/naming/.
  var metrics: String {
    var text = PrometheusText()
    text.begin("ibkr_build_info", .gauge, "The program's version.")
    text.add("ibkr_build_info", ["version": version], 1)
    text.add(
      "ibkr_healthy",
      .gauge,
      "1 if nothing is wrong, 0 if data is missing or will be.",
      verdict.isHealthy ? 1 : 0
    )
    addConnection(to: &text)
    addData(to: &text)
    addGaps(to: &text)
    addRecorder(to: &text)
    ProcessFigures.now()?.add(to: &text)
    return text.text
  }

  private func addConnection(to text: inout PrometheusText) {
    text.add(
      "ibkr_connected",
      .gauge,
      "1 if the server has greeted and commands reach it.",
      vitals.disconnected == nil ? 1 : 0
    )
    text.begin("ibkr_connection_losses_total", .counter, "Connections that were lost, by reason.")
    for reason in GapReason.allCases {
      text.add(
        "ibkr_connection_losses_total",
        ["reason": reason.rawValue],
        vitals.losses[reason] ?? 0
      )
    }
    text.begin("ibkr_session_phase", .gauge, "1 for the phase that the session is in.")
    for phase in SessionPhase.allCases {
      text.add(
        "ibkr_session_phase",
        ["phase": phase.rawValue],
        vitals.session?.value.phase == phase ? 1 : 0
      )
    }
    text.begin("ibkr_subscriptions", .gauge, "Subscriptions, by how far they have come.")
    let states = Dictionary(grouping: vitals.subscriptions.values) { $0.value.name }
    for name in SubscriptionState.names {
      text.add("ibkr_subscriptions", ["state": name], states[name]?.count ?? 0)
    }
  }

  private func addData(to text: inout PrometheusText) {
    text.begin("ibkr_messages_received_total", .counter, "Complete messages that came, by topic.")
    for topic in Topic.allCases {
      guard let count = vitals.received[topic] else { continue }
      text.add("ibkr_messages_received_total", ["topic": topic.rawValue], count)
    }
    text.add(
      "ibkr_received_bytes_total",
      .counter,
      "Bytes of the messages that came.",
      vitals.receivedBytes
    )
    text.add("ibkr_messages_sent_total", .counter, "Messages that were sent.", vitals.sent)
    text.add(
      "ibkr_unseen_events_total",
      .counter,
      "Events that could not be counted here; nothing else has missed them.",
      vitals.missed
    )
    if let last = vitals.lastMessage {
      text.add(
        "ibkr_last_message_timestamp_seconds",
        .gauge,
        "When the last message came.",
        Self.seconds(last.realtime)
      )
    }
    if let last = vitals.lastMarketData {
      text.add(
        "ibkr_last_market_data_timestamp_seconds",
        .gauge,
        "When the last message of market data came.",
        Self.seconds(last.realtime)
      )
    }
    text.add(
      "ibkr_market_data_delay_seconds",
      "From the server's time of a quote to its arrival; images are left out.",
      vitals.delay
    )
  }

  private func addGaps(to text: inout PrometheusText) {
    text.add(
      "ibkr_subscriptions_missing_data",
      .gauge,
      "Subscriptions in a gap that is not over.",
      vitals.missingSubscriptions
    )
    text.begin("ibkr_gaps_total", .counter, "Gaps that are over, by reason.")
    for reason in GapReason.allCases {
      text.add("ibkr_gaps_total", ["reason": reason.rawValue], vitals.outages[reason]?.count ?? 0)
    }
    text.begin("ibkr_gap_seconds_total", .counter, "How long those gaps were, by reason.")
    for reason in GapReason.allCases {
      text.add(
        "ibkr_gap_seconds_total",
        ["reason": reason.rawValue],
        Self.seconds(vitals.outages[reason]?.nanoseconds ?? 0)
      )
    }
  }

  private func addRecorder(to text: inout PrometheusText) {
    guard let recorder else { return }
    let written = recorder.written.sorted { $0.key.rawValue < $1.key.rawValue }
    text.begin("ibkr_recorder_lines_total", .counter, "Lines that are in their files, by channel.")
    for (channel, written) in written {
      text.add("ibkr_recorder_lines_total", ["channel": channel.rawValue], written.lines)
    }
    text.begin("ibkr_recorder_bytes_total", .counter, "Bytes of those lines, by channel.")
    for (channel, written) in written {
      text.add("ibkr_recorder_bytes_total", ["channel": channel.rawValue], written.bytes)
    }
    text.add(
      "ibkr_recorder_waiting_bytes",
      .gauge,
      "Bytes of lines that wait to be written.",
      recorder.waitingBytes
    )
    text.add(
      "ibkr_recorder_failing",
      .gauge,
      "1 if nothing can be written.",
      recorder.failure == nil ? 0 : 1
    )
    text.add(
      "ibkr_recorder_open_parts",
      .gauge,
      "Parts that are being written.",
      recorder.openParts
    )
    text.add(
      "ibkr_recorder_sealed_parts_total",
      .counter,
      "Parts that were sealed.",
      recorder.sealedParts
    )
    if let free = recorder.freeBytes {
      text.add("ibkr_recorder_disk_free_bytes", .gauge, "Bytes that the disk still takes.", free)
    }
  }
}
