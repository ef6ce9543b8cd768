// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import JSON

/// One value of a quote: what IBKR printed, and the number that it stands for.
public struct MarketDataValue: Sendable, Hashable {
  /// The letter that IBKR puts before a price.
  public enum Mark: Sendable, Hashable {
    /// `C`: the previous close is shown, because there is no trade yet.
    case previousClose
    /// `H`: trading is halted.
    case halted
  }

  /// The value as it stood in the message, without the quotes of a string.
  public let text: String

  /// The number, exactly and with its digits; nil for text and where IBKR says that there is none.
  public let decimal: Decimal?

  /// The letter before a price.
  public let mark: Mark?

  /// Whether the server says that there is no value (`N/A`, `-`, empty).
  ///
  /// That is not the same as a field that is missing, which has not changed.
  public let isNone: Bool

  /// The value of a flag: 1 or 0, also as `true` or `false`; nil for anything else.
  public var flag: Bool? { JSONValue.string(text).bool }

  init(content: UnsafeRawBufferPointer, isText: Bool, kind: MarketDataField.Kind?) {
    text =
      (isText ? JSONString.text(content) : nil) ?? String(decoding: content, as: UTF8.self)
    let parsed = QuoteNumber(content, allowsMark: kind == .price)
    decimal = kind == .text ? nil : parsed.decimal
    mark = parsed.mark
    isNone = parsed.isNone
  }
}

/// A value as a number, found without allocating.
package struct QuoteNumber {
  /// The number, exactly; nil for text.
  package private(set) var decimal: Decimal?
  private(set) var mark: MarketDataValue.Mark?
  private(set) var isNone = false
  /// Whether the number was abbreviated (`12.2M`), so that its digits are not all there are.
  package private(set) var isAbbreviated = false

  /// Numbers as IBKR prints them are short; what is longer is text.
  private static let longest = 48

  /// Reads a value.
  ///
  /// - Parameters:
  ///   - content: The value without the quotes of a string.
  ///   - allowsMark: Whether a `C` or `H` in front has a meaning, which is so for prices only.
  init(_ content: UnsafeRawBufferPointer, allowsMark: Bool) {
    if let plain = Self.plain(content) {
      decimal = plain
      return
    }
    if let power = content.last.flatMap(Self.power(ofSuffix:)),
      let plain = Self.plain(UnsafeRawBufferPointer(rebasing: content.dropLast()))
    {
      decimal = plain.multiplied(byPowerOfTen: power)
      isAbbreviated = true
      return
    }
    read(content, allowsMark: allowsMark)
    guard decimal == nil, !isNone, content.contains(UInt8(ascii: "\\")) else { return }
    // `N\/A` is written by servers that escape slashes.
    var plain = JSONString.text(content) ?? ""
    plain.withUTF8 { read(UnsafeRawBufferPointer($0), allowsMark: allowsMark) }
  }

  /// Digits with at most a sign and a point, which is what nearly all values are: read in one go.
  static func plain(_ content: UnsafeRawBufferPointer) -> Decimal? {
    // So many digits fit into 64 bits.
    guard let base = content.baseAddress, content.count <= 18 else { return nil }
    let isNegative = base.load(as: UInt8.self) == UInt8(ascii: "-")
    let start = isNegative ? 1 : 0
    var mantissa: Int64 = 0
    var whole = -1
    for index in start..<content.count {
      let byte = base.load(fromByteOffset: index, as: UInt8.self)
      let digit = byte &- UInt8(ascii: "0")
      if digit <= 9 {
        mantissa = mantissa &* 10 &+ Int64(digit)
      } else if byte == UInt8(ascii: "."), whole < 0 {
        whole = index &- start
      } else {
        return nil
      }
    }
    let end = content.count &- start
    let fraction = whole < 0 ? 0 : end &- whole &- 1
    if whole < 0 { whole = end } else if fraction == 0 { return nil }
    // As JSON has it: something before the point, and no zero in front.
    guard whole == 1 || whole > 1 && base.load(fromByteOffset: start, as: UInt8.self) != 0x30 else {
      return nil
    }
    return Decimal(mantissa: Int128(isNegative ? -mantissa : mantissa), exponent: -fraction)
  }

  private mutating func read(_ content: UnsafeRawBufferPointer, allowsMark: Bool) {
    var rest = content[...]
    while rest.first == UInt8(ascii: " ") { rest.removeFirst() }
    while rest.last == UInt8(ascii: " ") { rest.removeLast() }
    guard rest.count <= Self.longest else { return }
    if Self.saysNone(rest) {
      isNone = true
      return
    }
    if allowsMark, let letter = rest.first {
      switch letter {
      case UInt8(ascii: "C"): mark = .previousClose
      case UInt8(ascii: "H"): mark = .halted
      default: break
      }
      if mark != nil { rest.removeFirst() }
    }
    if rest.first == UInt8(ascii: "+") { rest.removeFirst() }
    if rest.last == UInt8(ascii: "%") { rest.removeLast() }
    let power = rest.last.flatMap(Self.power(ofSuffix:))
    if power != nil { rest.removeLast() }
    decimal = Self.digits(rest)
    if let power {
      decimal = decimal?.multiplied(byPowerOfTen: power)
      isAbbreviated = decimal != nil
    }
    if decimal == nil { mark = nil }
  }

  /// Reads a value that is a string already.
  ///
  /// - Parameters:
  ///   - text: The value.
  ///   - allowsMark: Whether a `C` or `H` in front has a meaning, which is so for prices only.
  package init(_ text: String, allowsMark: Bool) {
    var text = text
    self = text.withUTF8 { QuoteNumber(UnsafeRawBufferPointer($0), allowsMark: allowsMark) }
  }

  private static func saysNone(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
    switch text.count {
    case 0: true
    case 1: text.first == UInt8(ascii: "-")
    case 3: text.elementsEqual("N/A".utf8)
    case 4: text.elementsEqual("None".utf8) || text.elementsEqual("null".utf8)
    default: false
    }
  }

  private static func power(ofSuffix byte: UInt8) -> Int? {
    switch byte | 0x20 {
    case UInt8(ascii: "k"): 3
    case UInt8(ascii: "m"): 6
    case UInt8(ascii: "b"): 9
    case UInt8(ascii: "t"): 12
    default: nil
    }
  }

  /// The number without its thousands separators, with a zero before a leading point.
  private static func digits(_ text: Slice<UnsafeRawBufferPointer>) -> Decimal? {
    guard text.contains(UInt8(ascii: ",")) || text.first == UInt8(ascii: ".") else {
      return Decimal(UnsafeRawBufferPointer(rebasing: text))
    }
    return withUnsafeTemporaryAllocation(byteCount: longest + 1, alignment: 1) { room in
      var count = 0
      if text.first == UInt8(ascii: ".") {
        room[0] = UInt8(ascii: "0")
        count = 1
      }
      for byte in text where byte != UInt8(ascii: ",") {
        room[count] = byte
        count += 1
      }
      return Decimal(UnsafeRawBufferPointer(rebasing: room[..<count]))
    }
  }
}
