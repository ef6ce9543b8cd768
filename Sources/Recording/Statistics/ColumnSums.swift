// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import JSON

/// What the values of one column come to.
///
/// Sums are exact, so they do not depend on the order of the rows or on who adds them up.
public struct ColumnStatistics: Sendable, Hashable {
  /// The column.
  public let name: String
  /// How many values are not null.
  public private(set) var count = 0
  /// The sum of the numbers; nil if there are none, or if it has too many digits.
  public var sum: Decimal? {
    hasNumbers && !hasOverflown ? Decimal(mantissa: total, exponent: exponent) : nil
  }

  private var total: Int128 = 0
  private var exponent = 0
  private var hasNumbers = false
  private var hasOverflown = false

  init(name: String) {
    self.name = name
  }

  /// Counts a value that is not null.
  mutating func count(_ number: Decimal?) {
    count += 1
    guard let number else { return }
    hasNumbers = true
    guard !hasOverflown else { return }
    guard number.exponent >= exponent else {
      // More digits than any number before: all of the sum gets as many.
      rescale(to: number.exponent)
      return add(number.mantissa)
    }
    guard let mantissa = Self.scaled(number.mantissa, by: number.exponent - exponent) else {
      hasOverflown = true
      return
    }
    add(mantissa)
  }

  /// Adds what was counted elsewhere.
  mutating func merge(_ other: ColumnStatistics) {
    let before = count
    if let sum = other.sum {
      count(sum)
    } else if other.hasOverflown {
      (hasNumbers, hasOverflown) = (true, true)
    }
    count = before + other.count
  }

  private mutating func add(_ mantissa: Int128) {
    let (sum, overflow) = total.addingReportingOverflow(mantissa)
    if overflow { hasOverflown = true } else { total = sum }
  }

  private mutating func rescale(to smaller: Int) {
    guard let scaled = Self.scaled(total, by: exponent - smaller) else {
      hasOverflown = true
      return
    }
    (total, exponent) = (scaled, smaller)
  }

  private static func scaled(_ mantissa: Int128, by places: Int) -> Int128? {
    var result = mantissa
    guard places <= 38 || mantissa == 0 else { return nil }
    for _ in 0..<min(places, 38) {
      let (product, overflow) = result.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      result = product
    }
    return result
  }
}

/// The columns of some rows, in the order in which they were first seen.
struct ColumnSums {
  private(set) var columns: [ColumnStatistics] = []
  private var names: [[UInt8]] = []
  private var places: [[UInt8]: Int] = [:]
  /// Where the next column is expected: all rows of a channel have the same.
  private var next = 0

  /// A row begins.
  mutating func beginRow() {
    next = 0
  }

  /// Counts a value of the row.
  mutating func count(_ member: JSONMember, in scanner: JSONScanner) {
    let place = place(of: scanner.bytes(member.name))
    next = place + 1
    guard member.kind != .null else { return }
    columns[place].count(
      member.kind == .number ? Decimal(scanner.bytes(member.value)) : nil
    )
  }

  /// Adds what was counted elsewhere.
  mutating func merge(_ other: ColumnSums) {
    next = 0
    for (name, column) in zip(other.names, other.columns) {
      let index = name.withUnsafeBytes { place(of: $0) }
      next = index + 1
      columns[index].merge(column)
    }
  }

  private mutating func place(of name: UnsafeRawBufferPointer) -> Int {
    if next < names.count, names[next].elementsEqual(name) { return next }
    let name = Array(name)
    if let place = places[name] { return place }
    places[name] = columns.count
    names.append(name)
    columns.append(ColumnStatistics(name: String(decoding: name, as: UTF8.self)))
    return columns.count - 1
  }
}
