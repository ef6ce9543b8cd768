// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import JSON
import Testing

@testable import IBKR

@Suite struct BookTests {
  private final class Clock: Sendable {
    let now = Locked(Int64(0))
  }

  /// Publishes into a book as the I/O thread would, at times of its own.
  private struct Publisher: ~Copyable {
    static let apple = SubscriptionKey(
      topic: .marketData,
      target: "265598",
      conid: 265598,
      number: 1
    )
    static let appleAtArca = SubscriptionKey(
      topic: .marketData,
      target: "265598@ARCA",
      conid: 265598,
      number: 2
    )

    let book: Book
    private let clock = Clock()
    private var replayer = EventReplayer()
    private var seq: UInt64 = 0

    init() {
      book = Book { [clock] in clock.now.withLock { $0 } }
    }

    mutating func at(_ seconds: Int64, _ event: OwnEvent) {
      let now = seconds * 1_000_000_000
      clock.now.withLock { $0 = now }
      seq += 1
      replayer.append(event, stamp: Stamp(seq: seq, realtime: 0, monotonic: now))
      if let batch = replayer.take() { book.merge(batch) }
    }

    mutating func at(_ seconds: Int64, _ message: String) {
      let now = seconds * 1_000_000_000
      clock.now.withLock { $0 = now }
      seq += 1
      replayer.append(message, seq: seq, at: now)
      if let batch = replayer.take() { book.merge(batch) }
    }

    mutating func quote(
      _ fields: String,
      of key: SubscriptionKey = apple,
      server: String = "q1",
      at seconds: Int64
    ) {
      at(
        seconds,
        "{\"server_id\":\"\(server)\",\"conid\":265598,\"_updated\":\(seconds)000,\(fields),"
          + "\"topic\":\"smd+\(key.target)\"}"
      )
    }

    func pass(to seconds: Int64) { clock.now.withLock { $0 = seconds * 1_000_000_000 } }

    func gap(_ reason: GapReason) -> Gap {
      Gap(
        id: 1,
        phase: .began,
        start: Gap.Moment(realtime: 0, monotonic: 0),
        reason: reason,
        detectedBy: "test",
        subscriptions: [Self.apple],
        seqFirst: 1
      )
    }
  }

  private func publisher() -> Publisher {
    var publisher = Publisher()
    publisher.at(0, .subscription(Publisher.apple, .pending))
    publisher.quote(#""84":"271.50","86":"271.60","88":"1,300","31":"C270.10""#, at: 10)
    return publisher
  }

  @Test func mergesAndKnowsTheAgeOfEachField() throws {
    var publisher = publisher()
    publisher.quote(#""84":"271.55""#, at: 13)
    publisher.pass(to: 20)
    let top = try #require(publisher.book[265598])
    #expect(top.conid == 265598)
    #expect(top.exchange == nil)
    #expect(top.bid?.description == "271.55")
    #expect(top.ask?.description == "271.60")
    #expect(top.middle.map { abs($0 - 271.575) < 1e-9 } == true)
    #expect(top.bidSize?.description == "1300")
    #expect(top.last?.description == "270.10")
    #expect(top.isPreviousClose)
    #expect(!top.isHalted && !top.isDelayed && !top.isFrozen)
    #expect(top.askSize == nil && top.lastSize == nil)
    #expect(top[.bidPrice] == top.bid)
    #expect(top[.symbol] == nil)
    #expect(top.age(of: .bidPrice) == .seconds(7))
    #expect(top.age(of: .askPrice) == .seconds(10))
    #expect(top.age(of: .askSize) == nil)
    #expect(top.age(of: .symbol) == nil)
    #expect(top.stamp.seq == 3)
    #expect(publisher.book[272093] == nil)
  }

  @Test func nothingIsKnownBeforeTheFirstMessage() {
    var publisher = Publisher()
    publisher.at(0, .subscription(Publisher.apple, .pending))
    #expect(publisher.book[265598] == nil)
  }

  @Test func aGapForgetsEverything() throws {
    var publisher = publisher()
    publisher.at(14, .gap(publisher.gap(.disconnect)))
    #expect(publisher.book[265598] == nil)
    publisher.quote(#""86":"300.10""#, server: "q2", at: 30)
    let top = try #require(publisher.book[265598])
    #expect(top.bid == nil && top.middle == nil)
    #expect(top.age(of: .bidPrice) == nil)
    #expect(top.ask?.description == "300.10")
  }

  @Test func aSubscribersLossForgetsNothing() {
    var publisher = publisher()
    publisher.at(14, .gap(publisher.gap(.overflow)))
    #expect(publisher.book[265598]?.bid?.description == "271.50")
  }

  @Test func aNewServerIDForgetsWhatCameUnderTheOld() throws {
    var publisher = publisher()
    publisher.quote(#""86":"271.70""#, server: "q2", at: 30)
    let top = try #require(publisher.book[265598])
    #expect(top.bid == nil)
    #expect(top.ask?.description == "271.70")
  }

  @Test func aValueThatIsNoneHasNoAge() throws {
    var publisher = publisher()
    publisher.quote(#""84":"N/A""#, at: 11)
    let top = try #require(publisher.book[265598])
    #expect(top.bid == nil)
    #expect(top.age(of: .bidPrice) == nil)
  }

  @Test func exchangesAreKeptApart() {
    var publisher = publisher()
    publisher.at(0, .subscription(Publisher.appleAtArca, .pending))
    publisher.quote(#""84":"271.40""#, of: Publisher.appleAtArca, at: 11)
    #expect(publisher.book[265598]?.bid?.description == "271.50")
    #expect(publisher.book[265598, exchange: "ARCA"]?.bid?.description == "271.40")
    #expect(publisher.book[265598, exchange: "ARCA"]?.exchange == "ARCA")
    #expect(publisher.book[265598, exchange: "NYSE"] == nil)
  }

  @Test func whatIsNotSubscribedToIsNotKept() {
    var publisher = publisher()
    publisher.at(12, .subscription(Publisher.apple, .ended))
    #expect(publisher.book[265598] == nil)
    publisher.quote(#""84":"271.40""#, at: 13)
    #expect(publisher.book[265598] == nil)
  }

  @Test func whatIsNoQuoteChangesNothing() {
    var publisher = publisher()
    publisher.at(12, #"{"topic":"smd+265598","error":"no"}"#)
    publisher.at(12, "not JSON")
    #expect(publisher.book[265598]?.stamp.seq == 2)
  }
}
