// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

extension GatewayRequest {
  /// `iserver/marketdata/history`: bars that end at `startTime`, 1,000 at most.
  func history(_ gateway: inout GatewayState, at now: Timestamp) -> GatewayResponse {
    let trouble = gateway.troubles.history(at: now.monotonic)
    if trouble == .tooMany { return .tooManyRequests() }
    guard let conid = query["conid"].flatMap({ Int($0) }) else {
      return .error("Bad Request: conid", status: 400)
    }
    guard let instrument = gateway.options.catalogue[conid],
      instrument.behaviour != .noData, !gateway.options.playsRecording
    else { return .json(#"{"error":"No data."}"#, status: 500) }
    let period = query["period"] ?? "1w"
    guard BarRequest.isPeriod(period) else {
      return .json(#"{"error":"Bad Request: Invalid period: \#(period)"}"#, status: 400)
    }
    let bar = query["bar"] ?? "15min"
    guard BarRequest.bars.contains(bar) else {
      return .json(#"{"error":"Bad Request: Invalid bar: \#(bar)"}"#, status: 400)
    }
    var end = now.milliseconds / 1_000 + 1
    if let text = query["startTime"] {
      guard let time = Self.seconds(text) else {
        return .json(#"{"error":"Bad Request: Invalid startTime: \#(text)"}"#, status: 400)
      }
      end = min(end, time)
    }
    // Nobody trades pairs in one place (there is no tape of them).
    let source = query["source"]?.lowercased() ?? "trades"
    if trouble == .noData || instrument.kind == .currency && source == "trades" {
      return .json(#"{"error":"No data."}"#, status: 500)
    }
    if trouble == .refused { return .json(#"{"error":"Chart data unavailable"}"#) }
    if trouble == .cold, gateway.troubles.warm.insert(conid).inserted {
      return .json(#"{"error":"Chart data unavailable"}"#, status: 500)
    }
    var request = BarRequest(
      conid: conid,
      period: period,
      bar: bar,
      format: nil,
      outsideRegularHours: query["outsideRth"] == "true"
    )
    request.periodText = period
    request.delay = trouble == .delayed || instrument.availability.hasPrefix("D") ? 900 : 0
    request.part = trouble == .empty ? .none : trouble == .half ? .olderHalf : .all
    gateway.lastHistory += 1
    let answer = request.answer(
      id: "\(gateway.lastHistory)",
      instrument,
      gateway,
      until: end,
      at: now.milliseconds / 1_000
    )
    let text = "{\(answer),\"travelTime\":3}"
    return .json(trouble == .broken ? String(text.prefix(text.count / 2)) : text)
  }

  /// A time as `20260817-13:30:00`, in seconds since 1970.
  private static func seconds(_ text: String) -> Int64? {
    let parts = text.split(whereSeparator: { $0 == "-" || $0 == ":" })
    let numbers = parts.compactMap { Int64($0) }
    guard text.count == 17, parts.count == 4, numbers.count == 4, parts[0].count == 8,
      let date = UTCDate(
        year: numbers[0] / 10_000,
        month: numbers[0] / 100 % 100,
        day: numbers[0] % 100
      ), numbers[1] < 24, numbers[2] < 60, numbers[3] < 60
    else { return nil }
    return date.start / 1_000_000_000 + numbers[1] * 3_600 + numbers[2] * 60 + numbers[3]
  }
}
