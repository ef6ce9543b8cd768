// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import JSON
import Recording

extension StatusReport {
  /// As a JSON object.
  var json: JSONValue {
    [
      "version": .string(version),
      "healthy": .bool(verdict.isHealthy),
      "troubles": .array(verdict.troubles.map { .string($0) }),
      "time": .number(String(now.realtime)),
      "uptime_s": .number(Self.seconds(now.monotonic - vitals.start.monotonic)),
      "connected": .bool(vitals.disconnected == nil),
      "session": session,
      "messages": .number("\(vitals.received.values.reduce(0, +))"),
      "market_data": .number("\(vitals.marketDataMessages)"),
      "last_market_data": Self.time(vitals.lastMarketData),
      "delay_ms": delay,
      "subscriptions": .array(subscriptions),
      "missing": .number("\(vitals.missingSubscriptions)"),
      "gaps": gaps,
      "recorder": recorderObject,
      "process": process,
    ]
  }

  private var session: JSONValue {
    guard let session = vitals.session?.value, let phase = session.phase else { return .null }
    return [
      "phase": .string(phase.rawValue),
      "reason": .string(session.reason),
      "remedy": session.remedy.map { .string($0) } ?? .null,
    ]
  }

  private var delay: JSONValue {
    func milliseconds(_ share: Double) -> JSONValue {
      guard let bound = vitals.delay.bound(of: share), bound.isFinite else { return .null }
      return .number("\(bound * 1_000)")
    }
    // The upper bounds of buckets, not the exact values.
    return ["p50_below": milliseconds(0.5), "p99_below": milliseconds(0.99)]
  }

  private var subscriptions: [JSONValue] {
    vitals.subscriptions.sorted { $0.key.number < $1.key.number }
      .map { key, state in
        [
          "topic": .string(key.topic.rawValue),
          "conid": key.conid.map { .number("\($0)") } ?? .null,
          "symbol": key.conid.flatMap { symbols[$0] }.map { .string($0) } ?? .null,
          "exchange": key.exchange.map { .string(String($0)) } ?? .null,
          "state": .string(state.value.name),
          "for_s": .number(Self.seconds(now.monotonic - state.monotonic)),
          "messages": .number("\(vitals.traffic[key.number]?.messages ?? 0)"),
          "quiet_s": vitals.traffic[key.number].map {
            .number(Self.seconds(now.monotonic - $0.last))
          } ?? .null,
        ]
      }
  }

  private var gaps: JSONValue {
    let closed = vitals.outages.sorted { $0.key.rawValue < $1.key.rawValue }
    return [
      "open": .array(vitals.openGaps.values.sorted { $0.id < $1.id }.map(open)),
      "closed": .array(
        closed.map { reason, outages in
          [
            "reason": .string(reason.rawValue),
            "count": .number("\(outages.count)"),
            "seconds": .number(Self.seconds(outages.nanoseconds)),
          ]
        }
      ),
    ]
  }

  private func open(_ gap: Gap) -> JSONValue {
    [
      "reason": .string(gap.reason.rawValue),
      "detected_by": .string(gap.detectedBy),
      "since": .number("\(gap.start.realtime)"),
      "conids": .array(gap.conids.map { .number("\($0)") }),
    ]
  }

  private var process: JSONValue {
    guard let figures = ProcessFigures.now() else { return .null }
    return [
      "resident_bytes": .number("\(figures.residentBytes)"),
      "cpu_s": .number(Self.seconds(Int64(figures.cpuSeconds * 1e9))),
      "open_fds": .number("\(figures.openDescriptors)"),
    ]
  }

  private var recorderObject: JSONValue {
    guard let recorder else { return .null }
    let total = recorder.total
    return [
      "lines": .number("\(total.lines)"),
      "bytes": .number("\(total.bytes)"),
      "waiting_bytes": .number("\(recorder.waitingBytes)"),
      "open_parts": .number("\(recorder.openParts)"),
      "sealed_parts": .number("\(recorder.sealedParts)"),
      "disk_free_bytes": recorder.freeBytes.map { .number("\($0)") } ?? .null,
      "failure": recorder.failure.map { .string($0.description) } ?? .null,
    ]
  }

  private static func time(_ timestamp: Timestamp?) -> JSONValue {
    timestamp.map { .number("\($0.realtime)") } ?? .null
  }
}
