// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What is told about a text while it is read.
protocol JSONHandler {
  mutating func begin(_ kind: JSONKind)
  mutating func end(_ kind: JSONKind)

  /// A key's bytes between the quotes.
  mutating func key(_ content: UnsafeRawBufferPointer, hasEscapes: Bool)

  /// A string's bytes between the quotes, or a number's or literal's own.
  mutating func scalar(_ kind: JSONKind, _ content: UnsafeRawBufferPointer, hasEscapes: Bool)
}

/// The grammar of RFC 8259 to the letter, without recursion: the depth of a text costs a bit of
/// memory for each level and never the stack.
struct JSONGrammar<Handler: JSONHandler> {
  private enum Expectation {
    case value, valueOrEnd, key, keyOrEnd, separator
  }

  private let bytes: UnsafeRawBufferPointer
  private let depthLimit: Int
  private var index = 0
  private var containers: [JSONKind] = []
  private var handler: Handler

  /// Reads one text from its first byte to its last.
  ///
  /// - Parameters:
  ///   - bytes: The text.
  ///   - depthLimit: How deep arrays and objects may be nested.
  ///   - handler: Who is told.
  /// - Returns: The handler.
  /// - Throws: The first rule that is broken.
  static func read(
    _ bytes: UnsafeRawBufferPointer,
    depthLimit: Int,
    handler: Handler
  ) throws(JSONError) -> Handler {
    do {
      _ = try UTF8Span(validating: Span(_unsafeElements: bytes.bindMemory(to: UInt8.self)))
    } catch {
      throw JSONError(.invalidUTF8, at: error.byteOffsets.lowerBound)
    }
    var grammar = JSONGrammar(bytes: bytes, depthLimit: depthLimit, handler: handler)
    try grammar.run()
    return grammar.handler
  }

  private init(bytes: UnsafeRawBufferPointer, depthLimit: Int, handler: Handler) {
    self.bytes = bytes
    self.depthLimit = depthLimit
    self.handler = handler
  }

  private mutating func run() throws(JSONError) {
    var expectation = Expectation.value
    while true {
      skipWhitespace()
      if expectation == .separator, containers.isEmpty { break }
      guard index < bytes.count else { throw JSONError(.unexpectedEnd, at: index) }
      expectation = try step(expectation)
    }
    guard index == bytes.count else { throw JSONError(.bytesAfterEnd, at: index) }
  }

  private mutating func step(_ expectation: Expectation) throws(JSONError) -> Expectation {
    let byte = bytes[index]
    switch expectation {
    case .valueOrEnd where byte == UInt8(ascii: "]"):
      return close()
    case .value, .valueOrEnd:
      return try value(startingWith: byte)
    case .keyOrEnd where byte == UInt8(ascii: "}"):
      return close()
    case .key, .keyOrEnd:
      guard byte == UInt8(ascii: "\"") else { throw JSONError(.unexpectedByte, at: index) }
      let (content, hasEscapes) = try string()
      handler.key(content, hasEscapes: hasEscapes)
      skipWhitespace()
      guard index < bytes.count else { throw JSONError(.unexpectedEnd, at: index) }
      guard bytes[index] == UInt8(ascii: ":") else { throw JSONError(.unexpectedByte, at: index) }
      index += 1
      return .value
    case .separator:
      let isObject = containers.last == .object
      if byte == UInt8(ascii: ",") {
        index += 1
        return isObject ? .key : .value
      }
      guard byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
        throw JSONError(.unexpectedByte, at: index)
      }
      return close()
    }
  }

  private mutating func close() -> Expectation {
    index += 1
    if let kind = containers.popLast() { handler.end(kind) }
    return .separator
  }

  private mutating func value(startingWith byte: UInt8) throws(JSONError) -> Expectation {
    guard let kind = JSONKind.of(firstByte: byte) else {
      throw JSONError(.unexpectedByte, at: index)
    }
    let start = index
    switch kind {
    case .object, .array:
      guard containers.count < depthLimit else { throw JSONError(.tooDeep, at: index) }
      containers.append(kind)
      handler.begin(kind)
      index += 1
      return kind == .object ? .keyOrEnd : .valueOrEnd
    case .string:
      let (content, hasEscapes) = try string()
      handler.scalar(kind, content, hasEscapes: hasEscapes)
    case .number:
      try number()
      handler.scalar(kind, range(start..<index), hasEscapes: false)
    case .true, .false, .null:
      if let literal = kind.literal { try skip(literal) }
      handler.scalar(kind, range(start..<index), hasEscapes: false)
    }
    return .separator
  }

  private mutating func skip(_ literal: StaticString) throws(JSONError) {
    for offset in 0..<literal.utf8CodeUnitCount {
      guard index < bytes.count else { throw JSONError(.unexpectedEnd, at: index) }
      guard bytes[index] == literal.utf8Start[offset] else {
        throw JSONError(.unexpectedByte, at: index)
      }
      index += 1
    }
  }

  /// `[-] int [frac] [exp]` (RFC 8259 §6).
  private mutating func number() throws(JSONError) {
    if bytes[index] == UInt8(ascii: "-") { index += 1 }
    let firstDigit = index
    let count = skipDigits()
    guard count > 0, count == 1 || bytes[firstDigit] != UInt8(ascii: "0") else {
      throw JSONError(.invalidNumber, at: firstDigit)
    }
    if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
      index += 1
      guard skipDigits() > 0 else { throw JSONError(.invalidNumber, at: index) }
    }
    if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
      index += 1
      if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-")
      {
        index += 1
      }
      guard skipDigits() > 0 else { throw JSONError(.invalidNumber, at: index) }
    }
  }

  private mutating func skipDigits() -> Int {
    let start = index
    while index < bytes.count, bytes[index] &- UInt8(ascii: "0") <= 9 { index += 1 }
    return index - start
  }

  /// Reads the string that starts here; returns what stands between its quotes.
  private mutating func string() throws(JSONError) -> (UnsafeRawBufferPointer, hasEscapes: Bool) {
    index += 1
    let start = index
    var hasEscapes = false
    while true {
      skipPlain()
      guard index < bytes.count else { throw JSONError(.unexpectedEnd, at: index) }
      switch bytes[index] {
      case UInt8(ascii: "\""):
        index += 1
        return (range(start..<(index - 1)), hasEscapes)
      case UInt8(ascii: "\\"):
        hasEscapes = true
        try escape()
      default:
        throw JSONError(.controlCharacter, at: index)
      }
    }
  }

  /// Moves to the next quote, backslash or control character.
  private mutating func skipPlain() {
    guard let base = bytes.baseAddress else { return }
    while index + 8 <= bytes.count {
      let marks = ByteScan.mustEscape(ByteScan.word(base, index))
      guard marks == 0 else {
        index += marks.trailingZeroBitCount >> 3
        return
      }
      index += 8
    }
    while index < bytes.count, bytes[index] >= 0x20, bytes[index] != UInt8(ascii: "\""),
      bytes[index] != UInt8(ascii: "\\")
    { index += 1 }
  }

  private mutating func escape() throws(JSONError) {
    let start = index
    guard index + 1 < bytes.count else { throw JSONError(.unexpectedEnd, at: bytes.count) }
    guard bytes[index + 1] == UInt8(ascii: "u") else {
      guard JSONString.unescaped(bytes[index + 1]) != nil else {
        throw JSONError(.invalidEscape, at: start)
      }
      index += 2
      return
    }
    guard index + 6 <= bytes.count else { throw JSONError(.unexpectedEnd, at: bytes.count) }
    guard JSONString.codeUnit(range((index + 2)..<(index + 6))) != nil else {
      throw JSONError(.invalidEscape, at: start)
    }
    index += 6
  }

  private mutating func skipWhitespace() {
    while index < bytes.count {
      switch bytes[index] {
      case 0x20, 0x0A, 0x0D, 0x09: index += 1
      default: return
      }
    }
  }

  private func range(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[range])
  }
}
