// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// What a recorder has said of itself at one moment.
struct RecorderStatus {
  /// A subscription.
  struct Subscription: Hashable {
    let name: String
    let state: String
    let messages: Int
    /// Seconds since its last message; nil if none has come.
    let quiet: Double?
    /// Seconds since it is in this state.
    let since: Double
  }

  /// A gap that is not over.
  struct Gap: Hashable {
    let reason: String
    let detectedBy: String
    /// For how many seconds data has been missing.
    let lasting: Double
    let instruments: Int
  }

  /// When it was asked, on the monotonic clock.
  let moment: Int64
  let version: String
  let isHealthy: Bool
  let troubles: [String]
  let uptime: Double
  let session: String
  let isConnected: Bool
  let messages: Int
  let subscriptions: [Subscription]
  let openGaps: [Gap]
  /// Gaps that are over, by their reasons: how many, and how many seconds.
  let closedGaps: [(reason: String, count: Int, seconds: Double)]
  let bytes: Double?
  let lines: Int?
  let waitingBytes: Double?
  let freeBytes: Double?
  let failure: String?
  let residentBytes: Double?
  let delay: Double?

  /// Reads an answer; what is missing in it, as an older recorder's may be, is left out.
  init(_ status: JSONValue, at moment: Int64) {
    self.moment = moment
    func number(_ value: JSONValue?) -> Double? { value?.decimal?.doubleValue }
    version = Terminal.harmless(status["version"]?.string ?? "?")
    isHealthy = status["healthy"]?.bool ?? false
    troubles = (status["troubles"]?.elements ?? []).compactMap { $0.string.map(Terminal.harmless) }
    uptime = number(status["uptime_s"]) ?? 0
    session = Terminal.harmless(status["session"]?["phase"]?.string ?? "unknown")
    isConnected = status["connected"]?.bool ?? false
    messages = status["messages"]?.int ?? 0
    subscriptions = (status["subscriptions"]?.elements ?? []).map { entry in
      let symbol = entry["symbol"]?.string ?? entry["conid"]?.string
      let exchange = entry["exchange"]?.string.map { "@\($0)" } ?? ""
      let topic = entry["topic"]?.string ?? "?"
      let name = symbol.map { $0 + exchange } ?? topic
      return Subscription(
        name: Terminal.harmless(topic == "smd" || symbol == nil ? name : "\(name) \(topic)"),
        state: Terminal.harmless(entry["state"]?.string ?? "?"),
        messages: entry["messages"]?.int ?? 0,
        quiet: number(entry["quiet_s"]),
        since: number(entry["for_s"]) ?? 0
      )
    }
    let time = number(status["time"]) ?? 0
    openGaps = (status["gaps"]?["open"]?.elements ?? []).map { gap in
      Gap(
        reason: Terminal.harmless(gap["reason"]?.string ?? "?"),
        detectedBy: Terminal.harmless(gap["detected_by"]?.string ?? ""),
        lasting: max(0, (time - (number(gap["since"]) ?? time)) / 1e9),
        instruments: gap["conids"]?.elements?.count ?? 0
      )
    }
    closedGaps = (status["gaps"]?["closed"]?.elements ?? []).map { gap in
      (
        Terminal.harmless(gap["reason"]?.string ?? "?"), gap["count"]?.int ?? 0,
        number(gap["seconds"]) ?? 0
      )
    }
    let recorder = status["recorder"]
    (bytes, lines) = (number(recorder?["bytes"]), recorder?["lines"]?.int)
    waitingBytes = number(recorder?["waiting_bytes"])
    freeBytes = number(recorder?["disk_free_bytes"])
    failure = recorder?["failure"]?.string.map(Terminal.harmless)
    residentBytes = number(status["process"]?["resident_bytes"])
    delay = number(status["delay_ms"]?["p50_below"]).map { $0 / 1_000 }
  }
}
