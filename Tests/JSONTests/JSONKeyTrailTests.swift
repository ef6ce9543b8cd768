// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@Suite struct JSONKeyTrailTests {
  struct Seen: Equatable {
    var members: [String] = []
    var state = JSONScanner.State.scanning
  }

  /// Keys that begin like others, that are as long as can be guessed and longer, and that are none.
  static let keys = [
    "31", "310", "3", "84", "7059", "87_raw", "_updated", "conid", "conidEx", "topic", "server_id",
    "elevenbytes", "twelve_bytes", "a_key_of_sixteen", "", "0", "12345678", "123456789", "k\\u0031",
  ]

  static let values = [
    "\"271.55\"", "\"\"", "\"0123456\"", "\"01234567\"", "\"smd+265598\"", "\"a\\\"b\"", "\"ü\"",
    "17", "0.5", "-1", "1e5", "12345678", "1795470934945", "null", "true", "[1,\"x\"]",
    "{\"a\":\"}\"}",
  ]

  /// What is found with guesses.
  static func scan(_ bytes: [UInt8], after trail: inout JSONKeyTrail) -> Seen {
    var seen = Seen()
    bytes.withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      trail.begin()
      while true {
        scanner.takeGuessed(&trail) { meaning, start, stop, isString in
          let text = String(decoding: bytes[start..<stop], as: UTF8.self)
          seen.members.append("\(meaning)|\(isString ? JSONKind.string : .number)|\(text)")
        }
        guard let member = scanner.nextMember() else { break }
        let name = scanner.bytes(member.name)
        let meaning = member.key.count == .max ? -1 : trail.note(member, name)
        seen.members.append(line(meaning, member, scanner))
      }
      seen.state = scanner.state
    }
    return seen
  }

  /// What is found without them.
  static func scan(_ bytes: [UInt8]) -> Seen {
    var seen = Seen()
    bytes.withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      while let member = scanner.nextMember() {
        let name = String(decoding: scanner.bytes(member.name), as: UTF8.self)
        let meaning =
          if let number = member.key.number { number } else {
            name == "topic" ? -2 : name == "server_id" ? -3 : -1
          }
        seen.members.append(line(meaning, member, scanner))
      }
      seen.state = scanner.state
    }
    return seen
  }

  private static func line(_ meaning: Int, _ member: JSONMember, _ scanner: JSONScanner) -> String {
    let text = String(decoding: scanner.bytes(member.content), as: UTF8.self)
    return "\(meaning)|\(member.kind)|\(text)"
  }

  /// An object as servers write them; every eighth with white space somewhere.
  private static func object(_ random: inout some RandomNumberGenerator) -> String {
    let isSpaced = Int.random(in: 0..<8, using: &random) == 0
    let space = isSpaced ? " " : ""
    // Few keys in few orders, so that guesses are right as often as they are wrong.
    let first = Int.random(in: 0..<keys.count, using: &random)
    let members = (0..<Int.random(in: 0...8, using: &random)).map { offset in
      let isNext = Int.random(in: 0..<4, using: &random) > 0
      let index = isNext ? first + offset : Int.random(in: 0..<keys.count, using: &random)
      let value = values[
        (isNext ? index * 5 : Int.random(in: 0..<99, using: &random)) % values.count
      ]
      return "\(space)\"\(keys[index % keys.count])\"\(space):\(space)\(value)"
    }
    return "{" + members.joined(separator: ",") + "}"
  }

  /// Whatever came before, and whatever a byte is changed to.
  @Test func guessesChangeNothing() {
    var random = SplitMix(state: 11)
    var trail = JSONKeyTrail(["topic", "server_id"].map { Array($0.utf8) })
    for _ in 0..<20_000 {
      var bytes = Array(Self.object(&random).utf8)
      if Int.random(in: 0..<4, using: &random) == 0 {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
          in: 32...127,
          using: &random
        )
      }
      if Int.random(in: 0..<8, using: &random) == 0 {
        bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
      }
      let text = String(decoding: bytes, as: UTF8.self)
      #expect(Self.scan(bytes, after: &trail) == Self.scan(bytes), "\(text)")
    }
  }

  /// A trail that is full goes on with what it knows.
  @Test func moreKeysThanRoom() {
    var trail = JSONKeyTrail([])
    for round in 0..<3 {
      let members = (0..<200).map { "\"key\($0)\":\"\(round)\"" }
      let bytes = Array(("{" + members.joined(separator: ",") + "}").utf8)
      let seen = Self.scan(bytes, after: &trail)
      #expect(seen.members == (0..<200).map { _ in "-1|string|\(round)" })
      #expect(seen.state == .complete)
    }
  }

  @Test func digitsAreNumbersOfEveryLength() {
    var random = SplitMix(state: 11)
    for count in 0...20 {
      for _ in 0..<200 {
        var text = String(
          (0..<count).map { _ in "0123456789".randomElement(using: &random) ?? "0" }
        )
        if Bool.random(using: &random) { text = "-" + text }
        #expect(Self.digits(text) == Int64(text), "\(text)")
        guard !text.isEmpty else { continue }
        // Next to the digits in ASCII, far from them, and beyond ASCII.
        var bytes = Array(text.utf8)
        bytes[Int.random(in: 0..<bytes.count, using: &random)] =
          [0x2F, 0x3A, 0x20, 0x00, 0xB0, 0xFF].randomElement(using: &random) ?? 0
        #expect(bytes.withUnsafeBytes { Int64(digits: $0) } == nil, "\(bytes)")
      }
    }
  }

  private static func digits(_ text: String) -> Int64? {
    Array(text.utf8).withUnsafeBytes { Int64(digits: $0) }
  }
}
