// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The keys of the objects that were read before, and which came after which.
///
/// A server writes the objects of a stream by one program, so that a key is nearly always followed by
/// the one that followed it before, and by a value of the same kind. The next key is therefore
/// guessed, and compared together with everything that stands around it; only where the guess is wrong
/// is it read. A member of a quote takes 85 instructions like this, and 150 with its key read.
///
/// What is found does not depend on the guesses, only how quickly.
@usableFromInline
package struct JSONKeyTrail: ~Copyable {
  /// One key, and the one that came after it last.
  @usableFromInline
  struct Step {
    /// The key and what stands around it as two words, the first byte lowest.
    ///
    /// That is the quote, the key, quote and colon, and the quote of a string. Nothing is equal to the
    /// words of a step that is no key.
    @usableFromInline var low: UInt64 = 1
    @usableFromInline var high: UInt64 = 1
    /// Which bytes of the words count: not the first one, which is a brace or a comma.
    @usableFromInline var lowMask: UInt64 = 0
    @usableFromInline var highMask: UInt64 = 0
    /// How many bytes there are before the value, or before the text of a string.
    @usableFromInline var length = 0
    /// What the key stands for; see ``JSONKeyTrail/note(_:_:)``.
    @usableFromInline var meaning = JSONKeyTrail.nothing
    @usableFromInline var isString = false
    /// The step that came after this one last; 0 if there was none.
    @usableFromInline var next = 0
  }

  /// Longer keys are not guessed: with what stands around them they are more than two words.
  private static let longestKey = 11

  /// The meaning of a key that is neither a number nor one of those that were named.
  @usableFromInline package static let nothing = -1

  /// More than there are keys in the messages of a recorder; those that find no room are read.
  private static let room = 64

  // Owned: allocated in `init`, freed in `deinit`; all `room` of them are initialised, and `place` and
  // every `next` are below `count`. The first one stands for the beginning of an object.
  @usableFromInline let steps: UnsafeMutablePointer<Step>
  private var count = 1

  // Owned likewise: the step of the last text with a hash of 8 bits, 0 for none.
  private let index: UnsafeMutablePointer<UInt8>

  /// The step of the last key.
  @usableFromInline var place = 0

  private let names: [[UInt8]]

  /// Remembers nothing yet.
  ///
  /// - Parameter names: The keys that stand for something.
  package init(_ names: [[UInt8]]) {
    self.names = names
    steps = .allocate(capacity: Self.room)
    steps.initialize(repeating: Step(), count: Self.room)
    index = .allocate(capacity: 256)
    index.initialize(repeating: 0, count: 256)
  }

  deinit {
    steps.deallocate()
    index.deallocate()
  }

  /// Begins with an object.
  package mutating func begin() { place = 0 }

  /// What a key stands for that is no number.
  ///
  /// - Parameter name: The key's bytes, without escapes.
  /// - Returns: For one of the names -2 and below, in their order; ``nothing`` for any other.
  package func meaning(of name: UnsafeRawBufferPointer) -> Int {
    names.firstIndex { name.elementsEqual($0) }.map { -2 - $0 } ?? Self.nothing
  }

  /// Notes a member whose key was not guessed.
  ///
  /// - Parameters:
  ///   - member: The member.
  ///   - name: The bytes of its key.
  /// - Returns: What the key stands for: the number that it is, as IBKR's field ids are, or what
  ///   ``meaning(of:)`` gives.
  package mutating func note(_ member: JSONMember, _ name: UnsafeRawBufferPointer) -> Int {
    // With what stands around it a longer key is more than two words, and so is one with escapes.
    guard member.key.count <= Self.longestKey else { return meaning(of: member.key, name) }
    let isString = member.kind == .string
    let text = Self.text(around: member.key, name, isString)
    // Messages leave out what has not changed, so the next key is often another one that is known.
    let hash = Int(((text.low ^ text.high) &* 0x9E37_79B9_7F4A_7C15) &>> 56)
    var found = Int(index[hash])
    if found == 0 || steps[found].low != text.low || steps[found].high != text.high {
      guard let step = step(for: text) else { return meaning(of: member.key, name) }
      if steps[step].length == 0 {
        steps[step].length = member.key.count + (isString ? 5 : 4)
        steps[step].isString = isString
        steps[step].meaning = meaning(of: member.key, name)
      }
      index[hash] = UInt8(step)
      found = step
    }
    steps[place].next = found
    place = found
    return steps[found].meaning
  }

  private func meaning(of key: JSONKey, _ name: UnsafeRawBufferPointer) -> Int {
    key.number ?? meaning(of: name)
  }

  /// The step for a text, a new one without length if there was none; nil if there is no room.
  private mutating func step(for text: (low: UInt64, high: UInt64)) -> Int? {
    for step in 1..<count where steps[step].low == text.low && steps[step].high == text.high {
      return step
    }
    guard count < Self.room else { return nil }
    steps[count].low = text.low
    steps[count].high = text.high
    // The last byte of a text is a quote or a colon.
    let bytes = UInt128(text.high) << 64 | UInt128(text.low)
    let mask = UInt128.max >> UInt128(bytes.leadingZeroBitCount / 8 * 8) & ~0xFF
    steps[count].lowMask = UInt64(truncatingIfNeeded: mask)
    steps[count].highMask = UInt64(truncatingIfNeeded: mask >> 64)
    count += 1
    return count - 1
  }

  /// A key with what stands around it, as two words.
  private static func text(
    around key: JSONKey,
    _ name: UnsafeRawBufferPointer,
    _ isString: Bool
  ) -> (low: UInt64, high: UInt64) {
    let quote = UInt128(UInt8(ascii: "\""))
    let colon = UInt128(UInt8(ascii: ":"))
    var text = quote << 8 | UInt128(key.word) << 16
    for place in 8..<max(8, key.count) { text |= UInt128(name[place]) << UInt128(8 * (place + 2)) }
    let behind = quote | colon << 8 | (isString ? quote << 16 : 0)
    text |= behind << UInt128(8 * (key.count + 2))
    return (UInt64(truncatingIfNeeded: text), UInt64(truncatingIfNeeded: text >> 64))
  }
}

extension JSONScanner {
  /// Takes the next members as long as their keys are guessed, and their values strings or numbers
  /// that are written plainly.
  ///
  /// - Parameters:
  ///   - trail: The keys of earlier objects.
  ///   - body: Called for each of them with what its key stands for, where the value begins and ends,
  ///     without the quotes of a string, and whether it is a string and not a number.
  @inlinable
  @inline(__always)
  package mutating func takeGuessed(
    _ trail: inout JSONKeyTrail,
    _ body: (_ meaning: Int, _ start: Int, _ stop: Int, _ isString: Bool) -> Void
  ) {
    var place = trail.place
    var index = index
    var separator = separator
    while index &+ 16 <= end {
      let next = trail.steps[place].next
      let step = trail.steps + next
      guard ByteScan.word(base, index) & step.pointee.lowMask == step.pointee.low,
        ByteScan.word(base, index &+ 8) & step.pointee.highMask == step.pointee.high,
        byte(index) == separator
      else { break }
      let start = index &+ step.pointee.length
      let isString = step.pointee.isString
      guard let stop = isString ? plainTextEnd(from: start) : plainDigitsEnd(from: start)
      else { break }
      place = next
      separator = UInt8(ascii: ",")
      index = isString ? stop &+ 1 : stop
      body(step.pointee.meaning, start, stop, isString)
    }
    trail.place = place
    self.index = index
    self.separator = separator
  }

  /// Where the text of a string ends that begins here; nil if it has escapes, or no end.
  @inlinable
  @inline(__always)
  func plainTextEnd(from start: Int) -> Int? {
    var place = start
    while place &+ 8 <= end {
      let marks = ByteScan.stringEnds(ByteScan.word(base, place))
      place &+= marks.trailingZeroBitCount &>> 3
      if marks != 0 { return byte(place) == UInt8(ascii: "\"") ? place : nil }
    }
    return lastTextEnd(from: place)
  }

  /// The same among the last bytes of all, fewer than eight: the topic may be the last member.
  @usableFromInline
  @inline(never)
  func lastTextEnd(from place: Int) -> Int? {
    guard place < end, end >= 8 else { return nil }
    let passed = UInt64(8 &* (place &+ 8 &- end))
    let marks = ByteScan.stringEnds(ByteScan.word(base, end &- 8) &>> passed)
    let found = place &+ marks.trailingZeroBitCount &>> 3
    return marks != 0 && byte(found) == UInt8(ascii: "\"") ? found : nil
  }

  /// Where the number ends that begins here; nil if it has other than digits and points, or if the
  /// bytes end soon.
  @inlinable
  @inline(__always)
  func plainDigitsEnd(from start: Int) -> Int? {
    var place = start
    while place &+ 8 <= end {
      let marks = ByteScan.notOfNumber(ByteScan.word(base, place))
      place &+= marks.trailingZeroBitCount &>> 3
      if marks != 0 {
        let follower = byte(place)
        return place > start && (follower == UInt8(ascii: ",") || follower == UInt8(ascii: "}"))
          ? place : nil
      }
    }
    return nil
  }
}
