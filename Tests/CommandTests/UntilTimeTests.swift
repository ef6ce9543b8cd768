// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import ibkr

@Suite struct UntilTimeTests {
  private static let newYork = PosixZone("EST5EDT,M3.2.0,M11.1.0").map { ZoneInfo($0) } ?? .utc

  private static func seconds(_ text: String) throws -> Int64 {
    try #require(TimeText.moment(text)) / 1_000_000_000
  }

  private func next(_ text: String, after now: String, in zone: ZoneInfo) throws -> String? {
    let until = try #require(UntilTime(argument: text))
    let now = try #require(TimeText.moment(now))
    return until.moment(after: now, in: zone).map { TimeText.text($0) }
  }

  @Test func aTimeIsTheNextOne() throws {
    let zone = Self.newYork
    #expect(try next("16:00", after: "2026-11-27T12:00", in: zone) == "2026-11-27T21:00:00.000Z")
    #expect(try next("16:00", after: "2026-11-27T21:00", in: zone) == "2026-11-28T21:00:00.000Z")
    #expect(try next("16:00", after: "2026-07-01T12:00", in: zone) == "2026-07-01T20:00:00.000Z")
    // It is still the day before there.
    #expect(try next("23:00", after: "2026-11-28T03:00", in: zone) == "2026-11-28T04:00:00.000Z")
    #expect(try next("09:30:15", after: "2026-11-27T12:00", in: zone) == "2026-11-27T14:30:15.000Z")
  }

  @Test func aTimeIsExactAcrossTheChangeOfClocks() throws {
    let zone = Self.newYork
    // From Friday evening over the Sunday of the change to Monday's close.
    #expect(
      try next("2026-11-02T16:00", after: "2026-10-30T22:00", in: zone)
        == "2026-11-02T21:00:00.000Z"
    )
    #expect(
      try next("2026-03-09T16:00", after: "2026-03-06T22:00", in: zone)
        == "2026-03-09T20:00:00.000Z"
    )
    // 02:30 is left out on 2026-03-08: the clocks are put forward then.
    #expect(try next("02:30", after: "2026-03-08T05:30", in: zone) == "2026-03-08T07:00:00.000Z")
    #expect(try next("03:00", after: "2026-03-08T05:30", in: zone) == "2026-03-08T07:00:00.000Z")
    // 01:30 comes twice on 2026-11-01.
    #expect(try next("01:30", after: "2026-11-01T05:00", in: zone) == "2026-11-01T05:30:00.000Z")
    #expect(try next("01:30", after: "2026-11-01T06:00", in: zone) == "2026-11-01T06:30:00.000Z")
    #expect(try next("01:30", after: "2026-11-01T07:00", in: zone) == "2026-11-02T06:30:00.000Z")
  }

  @Test func aDateThatIsOverIsNone() throws {
    #expect(try next("2026-11-28T21:00:00Z", after: "2026-11-28T21:00", in: .utc) == nil)
    #expect(
      try next("2026-11-28T21:00:00Z", after: "2026-11-28T20:59", in: .utc)
        == "2026-11-28T21:00:00.000Z"
    )
  }

  @Test(arguments: [
    "", "soon", "16", "25:00", "16:60", "16:00@", "4:00", "2026-02-30T16:00",
    "16:00Z@Europe/Berlin",
    "2026-11-28", "16:00:00:00", "-1:00", "１６:００",
  ])
  func whatIsNoTime(_ text: String) {
    #expect(UntilTime(argument: text) == nil)
  }

  @Test func anUnknownZoneSaysWhatToWrite() throws {
    for name in ["Europe/Nowhere", "../etc/passwd", "/etc/localtime"] {
      let error = #expect(throws: (any Error).self) { try ZoneFiles.zone(name) }
      let text = error.map { Main.message(for: $0) } ?? ""
      #expect(text.contains(name) && (text.contains("America/New_York") || text.contains("tzdata")))
    }
    #expect(try ZoneFiles.zone("UTC").offset(at: 0) == 0)
  }

  @Test(
    arguments: [
      ("EST5EDT,M3.2.0,M11.1.0", "2026-01-01", -5), ("EST5EDT,M3.2.0,M11.1.0", "2026-07-01", -4),
      ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T00:59:59", 1),
      ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:00", 2),
      ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T00:59:59", 2),
      ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:00", 1),
      ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-01-01", 11),
      ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-07-01", 10), ("<+03>-3", "2026-07-01", 3),
      ("JST-9", "2026-07-01", 9), ("XXX3YYY,J60,J300", "2024-03-01T02:59:59", -3),
      ("XXX3YYY,J60,J300", "2024-03-01T05:00", -2), ("XXX3YYY,59,300", "2024-02-29T05:00", -2),
    ] as [(String, String, Int64)]
  )
  func rules(_ text: String, _ time: String, _ hours: Int64) throws {
    let zone = try #require(PosixZone(text))
    #expect(zone.offset(at: try Self.seconds(time)) == hours * 3_600)
  }

  @Test(arguments: [
    "", "E5", "EST", "EST5EDT", "EST5EDT,M13.1.0,M11.1.0", "EST5EDT,M3.2.0", "<+03-3",
  ])
  func whatIsNoRule(_ text: String) {
    #expect(PosixZone(text) == nil)
  }

  /// A file with a block of each version, as `zic -b fat` writes it for a made-up zone.
  private static func file(footer: String, times: [Int64]) -> [UInt8] {
    func number(_ value: Int64, _ size: Int) -> [UInt8] {
      (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * (size - 1 - $0))) }
    }
    func block(_ size: Int) -> [UInt8] {
      var bytes = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
      for count in [0, 0, 0, times.count, 2, 8] { bytes += number(Int64(count), 4) }
      for time in times { bytes += number(time, size) }
      for index in times.indices { bytes.append(UInt8((index + 1) % 2)) }
      bytes += number(-18_000, 4) + [0, 0] + number(-14_400, 4) + [1, 4]
      return bytes + Array("EST\0EDT\0".utf8)
    }
    return block(4) + block(8) + Array("\n\(footer)\n".utf8)
  }

  @Test func filesOfTheDatabaseAreRead() throws {
    let bytes = Self.file(footer: "EST5EDT,M3.2.0,M11.1.0", times: [100, 200])
    let zone = try #require(ZoneInfo(bytes))
    #expect(zone.offset(at: 99) == -18_000)
    #expect(zone.offset(at: 100) == -14_400)
    #expect(zone.offset(at: 199) == -14_400)
    // What comes after the list is the footer's.
    #expect(zone.offset(at: try Self.seconds("2040-07-01")) == -14_400)
    #expect(zone.offset(at: try Self.seconds("2040-01-01")) == -18_000)
    for end in stride(from: 0, to: bytes.count - 1, by: 7) {
      #expect(ZoneInfo(Array(bytes[..<end])) == nil)
    }
    #expect(ZoneInfo(Self.file(footer: "nonsense!", times: [100])) == nil)
    #expect(ZoneInfo(Self.file(footer: "JST-9", times: [200, 100])) == nil)
    #expect(ZoneInfo(Array("no such thing".utf8)) == nil)
  }
}
