// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A time zone as the system's database has it: RFC 8536, versions 1 to 4.
struct ZoneInfo: Sendable {
  /// From when another offset counts.
  private struct Transition {
    let time: Int64
    let offset: Int64
  }

  private var transitions: [Transition] = []
  private var first: Int64 = 0
  /// What counts after the last transition.
  private var rule: PosixZone?

  /// The zone that is never anywhere else.
  static let utc = ZoneInfo(PosixZone(offset: 0))

  /// A zone of one rule for all times.
  init(_ rule: PosixZone) {
    self.rule = rule
    first = rule.offset(at: 0)
  }

  /// Reads a file of the database; nothing comes of any other.
  ///
  /// - Parameter bytes: The file.
  init?(_ bytes: [UInt8]) {
    var reader = Reader(bytes: bytes[...])
    guard let version = reader.header() else { return nil }
    guard version.number >= UInt8(ascii: "2") else {
      guard reader.block(version.counts, timeSize: 4, into: &self) else { return nil }
      return
    }
    // The block of the first version is for readers that know no other.
    guard reader.skip(version.counts.size(timeSize: 4)), let second = reader.header(),
      reader.block(second.counts, timeSize: 8, into: &self)
    else { return nil }
    let rest = reader.bytes.dropFirst()
    guard reader.bytes.first == UInt8(ascii: "\n"),
      let end = rest.firstIndex(of: UInt8(ascii: "\n"))
    else { return nil }
    let text = String(decoding: rest[..<end], as: UTF8.self)
    if !text.isEmpty {
      guard let rule = PosixZone(text) else { return nil }
      self.rule = rule
      if transitions.isEmpty { first = rule.offset(at: 0) }
    }
  }

  private init() {}

  /// How many seconds the zone's clocks are ahead of UTC.
  ///
  /// - Parameter time: Seconds since 1970.
  /// - Returns: The seconds.
  func offset(at time: Int64) -> Int64 {
    guard let last = transitions.last else { return rule?.offset(at: time) ?? first }
    if time >= last.time { return rule?.offset(at: time) ?? last.offset }
    return transitions.last { $0.time <= time }?.offset ?? first
  }

  private struct Counts {
    let (isUT, isStandard, leaps, times, types, characters): (Int, Int, Int, Int, Int, Int)

    func size(timeSize: Int) -> Int {
      times * (timeSize + 1) + types * 6 + characters + leaps * (timeSize + 4) + isStandard + isUT
    }
  }

  private struct Reader {
    var bytes: ArraySlice<UInt8>

    mutating func skip(_ count: Int) -> Bool {
      guard bytes.count >= count else { return false }
      bytes = bytes.dropFirst(count)
      return true
    }

    mutating func number(_ size: Int) -> Int64? {
      let digits = bytes.prefix(size)
      guard digits.count == size, skip(size) else { return nil }
      let value = digits.reduce(Int64(0)) { $0 << 8 | Int64($1) }
      // The first bit is the sign.
      return size == 4 ? Int64(Int32(truncatingIfNeeded: value)) : value
    }

    mutating func header() -> (number: UInt8, counts: Counts)? {
      guard bytes.prefix(4).elementsEqual("TZif".utf8), skip(4), let number = bytes.first, skip(16)
      else { return nil }
      var counts: [Int] = []
      for _ in 0..<6 {
        // No zone has changed a thousand times; a damaged file says anything.
        guard let count = self.number(4), 0...65_536 ~= count else { return nil }
        counts.append(Int(count))
      }
      guard counts[4] > 0 else { return nil }
      return (
        number,
        Counts(
          isUT: counts[0],
          isStandard: counts[1],
          leaps: counts[2],
          times: counts[3],
          types: counts[4],
          characters: counts[5]
        )
      )
    }

    /// Reads a block of data.
    mutating func block(_ counts: Counts, timeSize: Int, into zone: inout ZoneInfo) -> Bool {
      zone = ZoneInfo()
      guard bytes.count >= counts.size(timeSize: timeSize) else { return false }
      let times = (0..<counts.times).compactMap { _ in number(timeSize) }
      let indices = Array(bytes.prefix(counts.times))
      guard skip(counts.times) else { return false }
      var offsets: [Int64] = []
      for _ in 0..<counts.types {
        guard let offset = number(4), skip(2) else { return false }
        offsets.append(offset)
      }
      guard indices.allSatisfy({ Int($0) < offsets.count }), times == times.sorted() else {
        return false
      }
      // RFC 8536 3.2: before the first transition type 0 counts.
      zone.first = offsets[0]
      zone.transitions = zip(times, indices).map { Transition(time: $0, offset: offsets[Int($1)]) }
      return skip(
        counts.characters + counts.leaps * (timeSize + 4) + counts.isStandard + counts.isUT
      )
    }
  }
}
