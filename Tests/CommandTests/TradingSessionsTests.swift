// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Logging
import Testing
import Transport

@testable import IBKR
@testable import ibkr

@Suite struct TradingSessionsTests {
  /// Notes when something is wanted and released.
  private actor Holder: SubscriptionHolder {
    private let loop: EventLoop
    private(set) var notes: [String] = []
    private var number: UInt32 = 0

    init(_ loop: EventLoop) { self.loop = loop }

    private var seconds: Int64 { loop.timestamp().realtime / 1_000_000_000 }

    func want(_ feed: some Feed) async throws(IbkrError) -> SubscriptionKey {
      number += 1
      let request = feed.request
      notes.append("\(seconds) want \(request.target)")
      return SubscriptionKey(
        topic: request.topic,
        target: request.target,
        conid: request.conid,
        number: number
      )
    }

    func release(_ key: SubscriptionKey) async {
      notes.append("\(seconds) release \(key.target)")
    }
  }

  private static func target(_ conid: Int) throws -> TradingSessions.Target {
    TradingSessions.Target(
      name: "S\(conid)",
      conid: conid,
      exchange: nil,
      feeds: [try MarketDataFeed.marketData(conid: conid)]
    )
  }

  private static func hours(_ sessions: [(Int64, Int64)]) -> TradingHours {
    TradingHours(sessions.map { TradingHours.Session(opening: $0, closing: $1) })
  }

  /// What is wanted and released until a time.
  private func play(
    _ targets: [TradingSessions.Target],
    until end: Int64,
    hours: @escaping @Sendable (Int) throws(IbkrError) -> TradingHours
  ) async throws -> [String] {
    let loop = try EventLoop(virtual: Timestamp(realtime: 0, monotonic: 0, boot: 0))
    defer { loop.stop() }
    let holder = Holder(loop)
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let sessions = TradingSessions(targets, logger: logger)
    await loop.run { _ in
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          try? await sessions.run(holder, on: loop) { target throws(IbkrError) in
            try hours(target.conid)
          }
        }
        try? await loop.sleep(until: end * 1_000_000_000)
        group.cancelAll()
      }
    }
    return await holder.notes
  }

  @Test func eachInstrumentIsWantedInItsOwnHours() async throws {
    let notes = try await play([Self.target(1), Self.target(2)], until: 11_000) { conid in
      conid == 1
        ? Self.hours([(1_000, 2_000), (11_000, 12_000)]) : Self.hours([(0, 500), (1_500, 90_000)])
    }
    #expect(
      notes == [
        "0 want 2", "560 release 2", "970 want 1", "1470 want 2", "2060 release 1", "10970 want 1",
      ]
    )
  }

  @Test func whoseHoursAreNotKnownIsRecordedMeanwhile() async throws {
    let asked = Locked(0)
    let notes = try await play([Self.target(1)], until: 1_000) { _ throws(IbkrError) in
      let count = asked.withLock { count in
        count += 1
        return count
      }
      guard count > 2 else { throw IbkrError(.timeout, "no answer") }
      return Self.hours([(5_000, 6_000)])
    }
    // Asked again every five minutes.
    #expect(notes == ["0 want 1", "600 release 1"])
  }
}
