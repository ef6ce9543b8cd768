// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import GatewaySimulator

/// Faults of the connection, of subscriptions, and of what comes.
@Suite struct StreamFaultTests {
  private func run(_ fault: Fault, subscribing: [String] = [subscription]) -> Desk {
    var desk = Desk(scenario: Scenario(name: "test", events: [.init(fault, after: .seconds(20))]))
    _ = desk.open()
    desk.pass(milliseconds: 1_000)
    for command in subscribing { desk.say(command) }
    desk.pass(milliseconds: 18_000)
    _ = desk.take()
    return desk
  }

  private static let subscription = SocketSessionTests.subscription

  private func odd(_ desk: Desk) -> [OddFrame] {
    desk.log.compactMap { if case .odd(let frame) = $0.output { frame } else { nil } }
  }

  @Test func losesEverythingEitherWayAndNoticesInTheEnd() {
    var desk = run(.halfOpen(for: .seconds(30)))
    desk.pass(milliseconds: 2_000)
    #expect(desk.log.contains { $0.output == .vanish })
    // The model goes on as if nothing were wrong; the server loses what it says.
    desk.pass(milliseconds: 20_000)
    #expect(desk.take().contains { $0.contains("hb") })
    desk.say("tic")
    desk.pass(milliseconds: 100)
    #expect(!desk.take().contains { $0.contains("tic") })
    desk.pass(milliseconds: 10_000)
    #expect(desk.log.contains { $0.output == .drop })
    // Another socket is as usual.
    _ = desk.open()
    desk.pass(milliseconds: 1_000)
    #expect(desk.take(2).contains { $0.contains("success") })
  }

  @Test func pausesHeartbeatsButNotData() {
    var desk = run(.heartbeatPause(for: .seconds(30)))
    desk.pass(milliseconds: 1_500)
    _ = desk.take()
    desk.pass(milliseconds: 29_000)
    let messages = desk.take()
    #expect(messages.count > 10)
    #expect(!messages.contains { $0.contains("hb") })
    desk.pass(milliseconds: 12_000)
    #expect(desk.take().contains { $0.contains("hb") })
  }

  @Test func endsSubscriptionsThatAreNotRenewed() {
    var desk = run(.expiry(after: .seconds(60)))
    desk.pass(milliseconds: 40_000)
    #expect(desk.take().contains { $0.contains("smd+") })
    desk.pass(milliseconds: 20_000)
    _ = desk.take()
    desk.pass(milliseconds: 20_000)
    #expect(!desk.take().contains { $0.contains("smd+") })
    desk.say(Self.subscription)
    desk.pass(milliseconds: 20_000)
    #expect(desk.take().contains { $0.contains("smd+") })
  }

  @Test(arguments: [true, false])
  func endsOneSubscription(isDeaf: Bool) {
    let other = #"smd+272093+{"fields":["31","84","86"]}"#
    var desk = run(
      .muteInstrument(conid: 265_598, isDeaf: isDeaf),
      subscribing: [Self.subscription, other]
    )
    desk.pass(milliseconds: 2_000)
    _ = desk.take()
    desk.pass(milliseconds: 20_000)
    let messages = desk.take()
    #expect(messages.contains { $0.contains("smd+272093") })
    #expect(!messages.contains { $0.contains("smd+265598") })
    desk.say(Self.subscription)
    desk.pass(milliseconds: 20_000)
    #expect(desk.take().contains { $0.contains("smd+265598") } == !isDeaf)
  }

  @Test func ignoresAndRefusesSubscriptions() {
    var deaf = run(.ignoreSubscriptions(for: .seconds(5)), subscribing: [])
    deaf.pass(milliseconds: 2_000)
    deaf.say(Self.subscription)
    deaf.pass(milliseconds: 2_000)
    #expect(!deaf.take().contains { $0.contains("smd+") })
    var firm = run(.refuseSubscriptions(for: .seconds(5)), subscribing: [])
    firm.pass(milliseconds: 2_000)
    firm.say(Self.subscription)
    firm.pass(milliseconds: 1_000)
    let answers = firm.take().filter { $0.contains("smd+265598") }
    #expect(answers.count == 1)
    #expect(answers.first?.contains("\"error\"") == true)
  }

  @Test func everyOddityIsSentToAnOpenSocket() {
    for oddity in Oddity.allCases {
      var desk = run(.say(oddity), subscribing: [])
      let before = desk.log.count
      desk.pass(milliseconds: 1_500)
      let sent = desk.log.dropFirst(before).filter {
        if case .message(let text) = $0.output {
          !text.contains("hb") || oddity == .wrongJSON
        } else {
          true
        }
      }
      #expect(!sent.isEmpty, "\(oddity)")
    }
  }

  @Test func theBurstOfTradesIsAsLongAsTheRecordedOne() {
    #expect(Oddity.tradesBurst.frames(Account()).count == 277)
  }

  @Test func splitsMessagesWithoutLosingAByte() {
    var desk = run(.distort(.split, for: .seconds(10)))
    desk.pass(milliseconds: 9_000)
    let pieces = odd(desk).map(\.payload)
    #expect(pieces.count >= 4)
    #expect(pieces.count.isMultiple(of: 2))
    for index in stride(from: 0, to: pieces.count, by: 2) {
      let text = String(decoding: pieces[index] + pieces[index + 1], as: UTF8.self)
      #expect(text.hasPrefix("{") && text.hasSuffix("}"), "\(text)")
    }
  }

  @Test func swapsQuotesAndKeepsThemAll() {
    var held = DistortedOutput()
    let quotes = (1...5).map { "{\"server_id\":\"q0\",\"n\":\($0),\"topic\":\"smd+1\"}" }
    var sent: [SocketOutput] = []
    for quote in quotes { sent += held.apply(.disorder, to: [.message(quote)]) }
    sent += held.apply(nil, to: [])
    #expect(sent == [1, 0, 3, 2, 4].map { .message(quotes[$0]) })
  }

  @Test func writesFragmentsThatMakeUpTheMessage() {
    let payload = Array("0123456789".utf8)
    let wire = OddFrame.fragments(payload, length: 4).wire
    #expect(wire == [0x02, 4, 48, 49, 50, 51, 0x00, 4, 52, 53, 54, 55, 0x80, 2, 56, 57])
  }

  @Test func floodsWithQuotesOfWhatIsSubscribedTo() {
    var desk = run(.flood(messages: 500))
    desk.pass(milliseconds: 1_100)
    #expect(desk.take().count { $0.contains("smd+265598") } >= 450)
  }

  @Test func namesNoExchangeInTheTopic() {
    var desk = Desk(
      scenario: Scenario(
        name: "test",
        events: [.init(.distort(.topicsWithoutExchange, for: .seconds(60)), after: .zero)]
      )
    )
    _ = desk.open()
    desk.pass(milliseconds: 1_000)
    desk.say(#"smd+265598@ARCA+{"fields":["31"]}"#)
    desk.pass(milliseconds: 1_000)
    let quotes = desk.take().filter { $0.contains("conidEx") }
    #expect(!quotes.isEmpty)
    #expect(quotes.allSatisfy { $0.contains(#""conidEx":"265598@ARCA""#) })
    #expect(quotes.allSatisfy { $0.contains(#""topic":"smd+265598""#) })
  }
}
