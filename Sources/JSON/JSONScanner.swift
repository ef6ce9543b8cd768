// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Walks over the members of an object in one pass, without allocating and without a tree.
///
/// This is the look that the I/O thread takes at each message: where is the topic, the conid, the
/// server's time. It finds the ends of values and no more: nested values are skipped by their
/// brackets, numbers by what follows them, and bytes that are not UTF-8 pass. Whether the text is
/// JSON to the letter, ``JSONValidator`` knows.
///
/// Members that are written as servers write them, without white space and escapes and with a short
/// key, are read in words, and in the function that asks for them: with a call for each member and
/// another for each string the same look took twice the instructions.
///
/// The scanner holds a pointer; use it only where that pointer is valid.
@usableFromInline
package struct JSONScanner {
  /// How far a scan has come.
  @usableFromInline
  package enum State: Sendable {
    /// More members may follow.
    case scanning

    /// The object ended where the bytes do.
    case complete

    /// The bytes end inside the object: part of a message.
    case truncated

    /// Not an object, or not JSON.
    case malformed
  }

  /// After ``nextMember()`` has returned nil: why.
  package private(set) var state = State.scanning

  @usableFromInline let base: UnsafeRawPointer
  @usableFromInline let end: Int
  @usableFromInline var index = 0
  /// What stands before the next member: the brace, and later a comma.
  @usableFromInline var separator = UInt8(ascii: "{")

  /// Starts before an object.
  ///
  /// - Parameter bytes: An object, white space around it allowed.
  package init(_ bytes: UnsafeRawBufferPointer) {
    end = bytes.count
    // An empty buffer has no address; nothing is ever read through this one.
    base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped
  }

  /// The next member, or nil at the end or where the text breaks; see ``state``.
  @inlinable
  @inline(__always)
  package mutating func nextMember() -> JSONMember? {
    plainMember() ?? anyMember()
  }

  /// The next member if it is a plain one: a key of less than 16 bytes, and a string or a number.
  ///
  /// Where something else stands, nothing has been moved over.
  @inlinable
  @inline(__always)
  mutating func plainMember() -> JSONMember? {
    let nameStart = index &+ 2
    // Room for the key's words, and behind them for a colon and the first byte of the value.
    guard nameStart &+ 18 <= end, byte(index) == separator,
      byte(index &+ 1) == UInt8(ascii: "\"")
    else { return nil }
    let word = ByteScan.word(base, nameStart)
    var count = ByteScan.stringEnds(word).trailingZeroBitCount &>> 3
    if count == 8 {
      count &+= ByteScan.stringEnds(ByteScan.word(base, nameStart &+ 8)).trailingZeroBitCount &>> 3
    }
    let nameEnd = nameStart &+ count
    guard count < 16, byte(nameEnd) == UInt8(ascii: "\""), byte(nameEnd &+ 1) == UInt8(ascii: ":")
    else { return nil }
    let start = nameEnd &+ 2
    let first = byte(start)
    let isString = first == UInt8(ascii: "\"")
    guard
      let stop = isString ? plainStringEnd(from: start) : plainNumberEnd(from: start, first)
    else { return nil }
    index = stop
    separator = UInt8(ascii: ",")
    return JSONMember(
      key: JSONKey(word: count < 8 ? word & ~(.max &<< UInt64(8 &* count)) : word, count: count),
      name: Range(uncheckedBounds: (nameStart, nameEnd)),
      kind: isString ? .string : .number,
      value: Range(uncheckedBounds: (start, stop)),
      hasEscapes: false
    )
  }

  /// Where the string that starts here ends; nil if it has escapes, or no end.
  @inlinable
  @inline(__always)
  func plainStringEnd(from start: Int) -> Int? {
    plainTextEnd(from: start &+ 1).map { $0 &+ 1 }
  }

  /// Where the number that starts here ends; nil if there is none, or if the bytes end with it.
  @inlinable
  @inline(__always)
  func plainNumberEnd(from start: Int, _ first: UInt8) -> Int? {
    guard first &- UInt8(ascii: "0") <= 9 || first == UInt8(ascii: "-") else { return nil }
    var place = start
    repeat { place &+= 1 } while place < end && !isDelimiter(byte(place))
    return place < end ? place : nil
  }

  /// The next member, however it is written.
  @usableFromInline
  @inline(never)
  mutating func anyMember() -> JSONMember? {
    guard state == .scanning, let first = nextByte() else { return nil }
    if separator == UInt8(ascii: "{") {
      guard first == separator else { return fail(.malformed) }
      separator = UInt8(ascii: ",")
      index &+= 1
      guard let byte = nextByte() else { return nil }
      if byte == UInt8(ascii: "}") { return finish() }
    } else {
      if first == UInt8(ascii: "}") { return finish() }
      guard first == separator else { return fail(.malformed) }
      index &+= 1
    }
    return member()
  }

  // Into its only caller, so that the member is not copied on the way out.
  @inline(__always)
  private mutating func member() -> JSONMember? {
    guard let quote = nextByte() else { return nil }
    guard quote == UInt8(ascii: "\"") else { return fail(.malformed) }
    let nameStart = index &+ 1
    guard let nameHasEscapes = skipString() else { return nil }
    let name = Range(uncheckedBounds: (nameStart, index &- 1))
    guard let colon = nextByte() else { return nil }
    guard colon == UInt8(ascii: ":") else { return fail(.malformed) }
    index &+= 1
    guard let first = nextByte() else { return nil }
    guard let kind = JSONKind.of(firstByte: first) else { return fail(.malformed) }
    let start = index
    guard let hasEscapes = skipValue(kind) else { return nil }
    return JSONMember(
      key: nameHasEscapes ? JSONKey(word: 0, count: .max) : key(name),
      name: name,
      kind: kind,
      value: Range(uncheckedBounds: (start, index)),
      hasEscapes: hasEscapes
    )
  }

  @inline(__always)
  private func key(_ name: Range<Int>) -> JSONKey {
    let count = name.count
    if count >= 8 { return JSONKey(word: ByteScan.word(base, name.lowerBound), count: count) }
    var word: UInt64 = 0
    if name.lowerBound &+ 8 <= end {
      word = ByteScan.word(base, name.lowerBound) & ~(UInt64.max << UInt64(8 &* count))
    } else {
      for (position, offset) in name.enumerated() {
        word |= UInt64(byte(offset)) << UInt64(8 &* position)
      }
    }
    return JSONKey(word: word, count: count)
  }

  /// Moves over the string that starts here; returns whether it has escapes.
  private mutating func skipString() -> Bool? {
    index &+= 1
    var hasEscapes = false
    while true {
      while index &+ 8 <= end {
        let marks = ByteScan.stringEnds(ByteScan.word(base, index))
        guard marks == 0 else {
          index &+= marks.trailingZeroBitCount &>> 3
          break
        }
        index &+= 8
      }
      guard index < end else { return fail(.truncated) }
      switch byte(index) {
      case UInt8(ascii: "\""):
        index &+= 1
        return hasEscapes
      case UInt8(ascii: "\\"):
        hasEscapes = true
        index &+= 2
      default:
        index &+= 1
      }
    }
  }

  /// Moves over a value; returns whether it is a string with escapes.
  private mutating func skipValue(_ kind: JSONKind) -> Bool? {
    switch kind {
    case .string:
      return skipString()
    case .number:
      repeat { index &+= 1 } while index < end && !isDelimiter(byte(index))
      return index < end ? false : fail(.truncated)
    case .object, .array:
      return skipNested()
    case .true, .false, .null:
      return kind.literal.flatMap { skipLiteral($0) }
    }
  }

  private mutating func skipLiteral(_ literal: StaticString) -> Bool? {
    for offset in 0..<literal.utf8CodeUnitCount {
      guard index < end else { return fail(.truncated) }
      guard byte(index) == literal.utf8Start[offset] else { return fail(.malformed) }
      index &+= 1
    }
    return false
  }

  /// Moves over an array or an object by counting brackets outside of strings.
  private mutating func skipNested() -> Bool? {
    var depth = 0
    while index < end {
      switch byte(index) {
      case UInt8(ascii: "\""):
        guard skipString() != nil else { return nil }
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth &+= 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth &-= 1
        if depth == 0 {
          index &+= 1
          return false
        }
      default:
        break
      }
      index &+= 1
    }
    return fail(.truncated)
  }

  private mutating func finish() -> JSONMember? {
    index &+= 1
    while index < end, isWhitespace(byte(index)) { index &+= 1 }
    return fail(index == end ? .complete : .malformed)
  }

  /// Skips white space and shows the byte after it.
  private mutating func nextByte() -> UInt8? {
    while index < end {
      let byte = byte(index)
      guard isWhitespace(byte) else { return byte }
      index &+= 1
    }
    return fail(.truncated)
  }

  private mutating func fail<Result>(_ state: State) -> Result? {
    self.state = state
    // Nothing is a plain member from here on.
    index = end
    return nil
  }

  @inlinable
  @inline(__always)
  func byte(_ offset: Int) -> UInt8 { base.load(fromByteOffset: offset, as: UInt8.self) }

  @inlinable
  @inline(__always)
  func isWhitespace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  @inlinable
  @inline(__always)
  func isDelimiter(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
      || isWhitespace(byte)
  }
}

extension JSONScanner {
  /// The bytes of a range that this scanner gave.
  ///
  /// - Parameter range: A key's or a value's range.
  /// - Returns: The bytes, valid as long as the scanner's are.
  @inlinable
  @inline(__always)
  package func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
  }

  /// A value as an integer, whether it came as a number or as a string: IBKR mixes them.
  ///
  /// - Parameter member: A member that this scanner gave.
  /// - Returns: The integer, or nil for anything else, fractions and exponents included.
  package func integer(_ member: JSONMember) -> Int64? {
    guard member.kind == .number || member.kind == .string else { return nil }
    return Int64(digits: bytes(member.content))
  }
}

extension Int64 {
  /// Reads decimal digits with an optional minus sign, without allocating.
  ///
  /// There is no number if anything else stands there, nothing at all, or what does not fit.
  ///
  /// - Parameter bytes: The digits.
  package init?(digits bytes: UnsafeRawBufferPointer) {
    let isNegative = bytes.first == UInt8(ascii: "-")
    let start = isNegative ? 1 : 0
    let count = bytes.count &- start
    guard count > 0, let base = bytes.baseAddress else { return nil }
    var value: Int64 = 0
    if count <= 16 {
      // So many digits fit in any case; ids and times have no more.
      let digits = base + start
      let last = Swift.min(count, 8)
      guard let high = Self.upToEight(digits, count &- last),
        let low = Self.upToEight(digits + (count &- last), last)
      else { return nil }
      value = high &* 100_000_000 &+ low
      self = isNegative ? -value : value
      return
    }
    for byte in bytes.dropFirst(start) {
      let digit = byte &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      // Downwards, because there is one more negative number than positive ones.
      let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, underflow) = shifted.subtractingReportingOverflow(Int64(digit))
      guard !overflow, !underflow else { return nil }
      value = sum
    }
    guard isNegative || value != .min else { return nil }
    self = isNegative ? value : -value
  }

  /// The number that at most eight digits stand for; 0 for none, nil for anything else.
  ///
  /// All at once: neighbours become pairs, fours and the number, each step in one multiplication.
  @inline(__always)
  private static func upToEight(_ base: UnsafeRawPointer, _ count: Int) -> Int64? {
    guard count > 0 else { return 0 }
    let word = ByteScan.word(base, count: count)
    // Zeros in front, where the first byte of the word is the highest digit.
    let digits = (word ^ 0x3030_3030_3030_3030) &<< UInt64(8 &* (8 &- count))
    guard (digits &+ 0x7676_7676_7676_7676 | digits) & 0x8080_8080_8080_8080 == 0 else {
      return nil
    }
    let pairs = (digits &* 2_561) &>> 8 & 0x00FF_00FF_00FF_00FF
    let fours = (pairs &* 6_553_601) &>> 16 & 0x0000_FFFF_0000_FFFF
    return Int64(truncatingIfNeeded: (fours &* 42_949_672_960_001) &>> 32)
  }
}
