// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@testable import IBKR

/// When bars are asked for, and what the answers are worth (protocol reference 6.5 and 7.4).
@Suite struct BackfillQueueTests {
  private static let second: Int64 = 1_000_000_000
  private static let minute = 60 * second
  /// 2026-04-30T12:00:00Z: a full hour.
  private static let noon: Int64 = 1_777_550_400 * second

  /// A queue, its clock, and a server.
  private struct World {
    var queue = BackfillQueue()
    var now: Int64 = 0
    var realtime = BackfillQueueTests.noon
    /// The seconds at which something was asked, with the question's query.
    var asked: [(at: Int64, page: BackfillPage)] = []
    var kept: [Backfill] = []
    var told: [BackfillProgress] = []
    /// What the server says to the n-th question.
    var answer: (Int, BackfillPage, Int64) -> Result<BackfillAnswer, Refused>

    struct Refused: Error {
      var failure: BackfillQueue.Failure
      init(_ kind: BackfillQueue.Failure.Kind, _ words: String = "words") {
        failure = BackfillQueue.Failure(kind: kind, words: words)
      }
    }

    init(
      _ answer: @escaping (Int, BackfillPage, Int64) -> Result<BackfillAnswer, Refused> = {
        .success(.full($1, $2))
      }
    ) {
      self.answer = answer
    }

    mutating func add(_ range: Range<Int64>, conid: Int = 1, gap: Int = 1) {
      let backfill = Backfill(gap: .own(gap), conid: conid, range: range)
      if let progress = queue.add(backfill, at: now, realtime: realtime) { told.append(progress) }
    }

    mutating func pass(_ seconds: Int64) {
      let end = now + seconds * second
      while let due = queue.deadline, max(due, now) <= end {
        realtime += max(0, due - now)
        now = max(due, now)
        guard let question = queue.next(at: now) else { continue }
        asked.append((now / second, question.page))
        switch answer(asked.count, question.page, realtime) {
        case .success(let answer):
          let outcome = queue.answered(question, answer, at: now, realtime: realtime)
          if let backfill = outcome.kept { kept.append(backfill) }
          if let progress = outcome.progress { told.append(progress) }
        case .failure(let refused):
          if let progress = queue.failed(question, refused.failure, at: now) {
            told.append(progress)
          }
        }
      }
      realtime += max(0, end - now)
      now = max(now, end)
    }

    var states: [String] { told.map { "\($0.state.rawValue) \($0.bars)" } }
  }

  /// Half a minute after noon, for 40 s: it touches two minutes.
  private static let short = noon + 30 * second..<noon + 70 * second

  @Test func aGapIsAskedForWhenItsLastMinuteIsOver() {
    var world = World()
    world.realtime = Self.noon + 75 * Self.second
    world.queue.opened(at: 0)
    world.add(Self.short)
    world.pass(54)
    #expect(world.asked.isEmpty)
    world.pass(2)
    #expect(world.asked.map(\.at) == [55])
    let page = world.asked[0].page
    #expect(
      page.query.map { "\($0.name)=\($0.value)" } == [
        "conid=1", "period=2min", "bar=1min", "outsideRth=true", "startTime=20260430-12:02:00",
      ]
    )
    #expect(world.states == ["done 2"])
    // What counts of the answer are whole minutes.
    #expect(world.kept.map(\.range) == [Self.noon..<Self.noon + 2 * Self.minute])
    #expect(world.told.first?.rest == nil)
    #expect(world.queue.count == 0)
  }

  @Test func questionsLeaveRoomForOthers() {
    var world = World()
    world.queue.opened(at: 0)
    for conid in 1...5 {
      world.add(Self.noon - 10 * Self.minute..<Self.noon - 5 * Self.minute, conid: conid)
    }
    // The same again is asked for once.
    world.add(Self.noon - 10 * Self.minute..<Self.noon - 5 * Self.minute, conid: 3)
    world.pass(60)
    #expect(world.asked.map(\.at) == [10, 12, 14, 16, 18])
    #expect(world.asked.map(\.page.conid) == [1, 2, 3, 4, 5])
    #expect(world.states == Array(repeating: "done 5", count: 5))
  }

  @Test func longGapsTakeSeveralQuestionsTheOldestFirst() {
    var world = World()
    world.queue.opened(at: 0, settles: false)
    world.add(Self.noon - 20 * 60 * Self.minute..<Self.noon - 5 * Self.minute)
    world.pass(60)
    #expect(world.asked.map(\.page.period) == ["8h", "8h", "4h"])
    #expect(world.asked.allSatisfy { $0.page.barCount <= 1_000 })
    #expect(world.states == ["done 1195"])
    // Each minute once.
    #expect(
      zip(world.kept, world.kept.dropFirst()).allSatisfy {
        $0.range.upperBound == $1.range.lowerBound
      }
    )
    #expect(world.kept.first?.range.lowerBound == Self.noon - 20 * 60 * Self.minute)
    #expect(world.kept.last?.range.upperBound == Self.noon - 5 * Self.minute)
  }

  @Test func moreThanAWeekIsAskedForByTheHour() {
    var world = World()
    world.queue.opened(at: 0, settles: false)
    world.add(Self.noon - 40 * 1_440 * Self.minute..<Self.noon)
    world.pass(60)
    #expect(world.asked.map(\.page.period) == ["30d", "10d"])
    #expect(world.asked[0].page.query.contains { $0 == ("bar", "1h") })
    #expect(world.states == ["done 960"])
  }

  @Test func aFirstAnswerThatIsNoneIsAskedForAgain() {
    var world = World { number, page, now in
      number < 3 ? .failure(.init(.other, "Chart data unavailable")) : .success(.full(page, now))
    }
    world.queue.opened(at: 0, settles: false)
    world.add(Self.noon - 10 * Self.minute..<Self.noon - 9 * Self.minute)
    world.pass(60)
    #expect(world.asked.map(\.at) == [0, 2, 5])
    #expect(world.states == ["done 1"])
  }

  @Test func whatFailsForGoodCanBeAskedForAgain() {
    var world = World { _, _, _ in .failure(.init(.other, "System error")) }
    world.queue.opened(at: 0, settles: false)
    let range = Self.noon - 10 * Self.minute..<Self.noon - 9 * Self.minute
    world.add(range)
    world.pass(600)
    #expect(world.asked.count == 4)
    #expect(world.states == ["unavailable 0"])
    #expect(world.told.first?.reason == "System error")
    #expect(world.told.first?.rest == range)
  }

  @Test func theBarsBeforeAFailureCount() {
    var world = World { number, page, now in
      number == 1 ? .success(.full(page, now)) : .failure(.init(.other, "System error"))
    }
    world.queue.opened(at: 0, settles: false)
    let end = Self.noon - 5 * Self.minute
    world.add(Self.noon - 12 * 60 * Self.minute..<end)
    world.pass(600)
    #expect(world.states == ["partial 480"])
    #expect(world.told.first?.rest == Self.noon - 4 * 60 * Self.minute..<end)
  }

  @Test func withoutTradesTheMidpointIsAskedFor() {
    var world = World { _, page, now in
      page.source == .midpoint ? .success(.full(page, now)) : .failure(.init(.noData, "No data."))
    }
    world.queue.opened(at: 0, settles: false)
    world.add(Self.noon - 10 * Self.minute..<Self.noon - 8 * Self.minute)
    world.pass(600)
    #expect(world.asked.map(\.page.source) == [nil, nil, nil, nil, .midpoint])
    #expect(world.asked.last?.page.query.last.map { $0.value } == "Midpoint")
    #expect(world.states == ["done 2"])
    #expect(world.told.first?.reason.contains("midpoint") == true)
    #expect(world.kept.map(\.source) == [.midpoint])
  }

  @Test func nothingAtAllIsAnAnswerToo() {
    var world = World { _, _, _ in .success(BackfillAnswer(times: [])) }
    world.queue.opened(at: 0, settles: false)
    world.add(Self.noon - 10 * Self.minute..<Self.noon - 8 * Self.minute)
    world.pass(600)
    #expect(world.states == ["unavailable 0"])
    #expect(world.told.first?.rest == nil)
    #expect(world.kept.isEmpty)
  }

  @Test func minutesWithoutBarsAreSaid() {
    // Bars before and behind the gap, and one of three in it.
    var world = World { _, page, _ in
      let start = page.range.lowerBound
      return .success(
        BackfillAnswer(times: [start - Self.minute, start + Self.minute, page.range.upperBound])
      )
    }
    world.queue.opened(at: 0, settles: false)
    world.add(Self.noon - 60 * Self.minute..<Self.noon - 57 * Self.minute)
    world.pass(600)
    #expect(world.asked.count == 1)
    #expect(world.states == ["partial 1"])
    #expect(world.told.first?.reason.hasPrefix("no bars for 2 of 3 minutes") == true)
    #expect(world.told.first?.rest == nil)
  }

  @Test func theNewestBarsMayBeLate() {
    // The server is a minute behind for two minutes.
    let ready = Self.noon + 240 * Self.second
    var world = World { _, page, now in
      .success(.full(page, now < ready ? now - 2 * Self.minute : now))
    }
    world.realtime = Self.noon + 70 * Self.second
    world.queue.opened(at: 0, settles: false)
    world.add(Self.noon - 2 * Self.minute..<Self.noon + 60 * Self.second)
    world.pass(600)
    #expect(world.states.last == "done 3")
    #expect(world.told.first?.state == .pending)
    // No bar twice.
    #expect(
      world.kept.map { $0.range.upperBound - $0.range.lowerBound }.reduce(0, +) == 3 * Self.minute
    )
    #expect(Set(world.kept.map(\.range.lowerBound)).count == world.kept.count)
  }

  @Test func delayedDataIsWaitedFor() {
    var world = World { _, page, now in
      .success(.full(page, now - 900 * Self.second, delay: 900 * Self.second))
    }
    world.queue.opened(at: 0, settles: false)
    world.add(Self.noon - 20 * Self.minute..<Self.noon - 5 * Self.minute)
    world.pass(60)
    #expect(world.states == ["pending 5"])
    #expect(world.told.first?.reason == "the data is delayed by 900 s")
    #expect(world.told.first?.rest == Self.noon - 15 * Self.minute..<Self.noon - 5 * Self.minute)
    world.pass(900)
    #expect(world.states == ["pending 5", "done 15"])
    #expect(world.asked.count == 2)
  }

  @Test func aLimitHoldsEverybodyBack() {
    var world = World { number, page, now in
      number == 1 ? .failure(.init(.limited(900 * Self.second))) : .success(.full(page, now))
    }
    world.queue.opened(at: 0, settles: false)
    for conid in 1...2 {
      world.add(Self.noon - 10 * Self.minute..<Self.noon - 9 * Self.minute, conid: conid)
    }
    world.pass(899)
    #expect(world.asked.map(\.at) == [0])
    #expect(world.states == ["pending 0"])
    world.pass(60)
    #expect(world.asked.map(\.at) == [0, 900, 902])
    #expect(world.states == ["pending 0", "done 1", "done 1"])
  }

  @Test func withoutASessionNothingIsAsked() {
    var world = World()
    world.add(Self.noon - 10 * Self.minute..<Self.noon - 9 * Self.minute)
    world.pass(60)
    #expect(world.queue.deadline == nil && world.asked.isEmpty)
    world.queue.opened(at: world.now)
    let question = world.queue.next(at: world.now + BackfillQueue.settling)
    // Its answer comes when the session is gone.
    world.queue.lost()
    if let question {
      let outcome = world.queue.answered(
        question,
        .full(question.page, world.realtime),
        at: world.now,
        realtime: world.realtime
      )
      #expect(outcome == BackfillQueue.Outcome())
    } else {
      Issue.record("nothing was asked")
    }
    world.queue.opened(at: world.now)
    world.pass(60)
    #expect(world.states == ["done 1"])
  }

  @Test func thereIsABound() {
    var world = World()
    for conid in 1...BackfillQueue.limit + 1 { world.add(Self.short, conid: conid) }
    #expect(world.queue.count == BackfillQueue.limit)
    #expect(world.states == ["pending 0"])
    #expect(world.told.first?.rest == Self.short)
  }

  @Test func timesOfDamagedFilesDoNoHarm() {
    for range in [Int64.min..<Int64.max, -5..<0, Int64.max - 1..<Int64.max] {
      let backfill = Backfill(gap: .own(1), conid: 1, range: range)
      let step = BackfillPage.Step(for: backfill.range)
      let page = BackfillPage(backfill, backfill.range, step, source: nil)
      #expect(page.barCount > 0 && page.barCount <= 1_000 && backfill.barCount > 0)
      #expect(BackfillPage.text(page.range.upperBound).count == 17)
    }
  }

  @Test func anAnswerIsReadAsTheServerWritesIt() throws {
    let text =
      #"{"serverId":"1","barLength":60,"mdAvailability":"S","mktDataDelay":0,"volumeFactor":40,"#
      + #""data":[{"o":1,"t":1775136660000},{"o":1,"t":1775136600000},{"o":2},"#
      + #"{"o":1,"t":1775136660000}]}"#
    let answer = BackfillAnswer(try JSONValue(parsing: Array(text.utf8)))
    #expect(answer.times == [1_775_136_600_000_000_000, 1_775_136_660_000_000_000])
    #expect(answer.length == Self.minute && answer.delay == 0)
    for (said, delay) in [
      (#"{"mktDataDelay":900,"data":[]}"#, 900 * Self.second),
      (#"{"mdAvailability":"DPB"}"#, 1_200 * Self.second), (#"{"barLength":-1}"#, 0), ("[]", 0),
    ] {
      let answer = BackfillAnswer(try JSONValue(parsing: Array(said.utf8)))
      #expect(answer.delay == delay && answer.length == nil && answer.times.isEmpty)
    }
  }
}

extension BackfillAnswer {
  /// A bar for each step of a page that is over at a time.
  fileprivate static func full(
    _ page: BackfillPage,
    _ realtime: Int64,
    delay: Int64 = 0
  ) -> BackfillAnswer {
    let starts = stride(
      from: page.range.lowerBound,
      to: page.range.upperBound,
      by: Int(page.step.length)
    )
    return BackfillAnswer(
      times: starts.filter { $0 + page.step.length <= realtime },
      length: page.step.length,
      delay: delay
    )
  }
}
