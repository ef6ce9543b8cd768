// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension Decimal: CustomStringConvertible {
  /// The number in plain digits: `271.70`, `12200000`; never with an exponent.
  public var description: String {
    var output: [UInt8] = []
    write(to: &output)
    return String(decoding: output, as: UTF8.self)
  }

  /// The nearest binary fraction: for arithmetic that need not be exact.
  public var doubleValue: Double { Double("\(mantissa)e\(exponent)") ?? .nan }

  /// Appends the number in plain digits.
  ///
  /// - Parameters:
  ///   - output: Where to append.
  ///   - minimumFractionDigits: Zeros are added behind the point up to so many digits; at most 18.
  package func write(to output: inout [UInt8], minimumFractionDigits: Int = 0) {
    withUnsafeTemporaryAllocation(byteCount: Self.encodedCapacity, alignment: 1) { room in
      guard let start = room.baseAddress else { return }
      let count = encode(into: start, minimumFractionDigits: minimumFractionDigits)
      output.append(contentsOf: room[..<count])
    }
  }

  /// The room that ``encode(into:minimumFractionDigits:)`` needs: sign, point, 39 digits and as
  /// many zeros as the exponent or the caller asks for.
  package static let encodedCapacity = 41 + 400 + 18

  /// Stores the number in plain digits.
  ///
  /// - Parameters:
  ///   - room: At least ``encodedCapacity`` bytes.
  ///   - minimumFractionDigits: Zeros are added behind the point up to so many digits; at most 18.
  /// - Returns: How many bytes were stored.
  package func encode(
    into room: UnsafeMutableRawPointer,
    minimumFractionDigits: Int = 0
  ) -> Int {
    var writer = Writer(room: room)
    if mantissa < 0 { writer.append(UInt8(ascii: "-")) }
    let fraction = max(0, -exponent)
    writer.append(magnitude: mantissa.magnitude, pointBefore: fraction)
    if exponent > 0, mantissa != 0 { writer.append(zeros: exponent) }
    let missing = min(minimumFractionDigits, 18) - fraction
    if missing > 0 {
      if fraction == 0 { writer.append(UInt8(ascii: ".")) }
      writer.append(zeros: missing)
    }
    return writer.count
  }

  private struct Writer {
    let room: UnsafeMutableRawPointer
    var count = 0

    init(room: UnsafeMutableRawPointer) { self.room = room }

    mutating func append(_ byte: UInt8) {
      room.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
      count &+= 1
    }

    mutating func append(zeros: Int) {
      for _ in 0..<zeros { append(UInt8(ascii: "0")) }
    }

    /// Appends digits with a point before the last `fraction` of them, and with a zero before the
    /// point if no other digit stands there.
    mutating func append(magnitude: UInt128, pointBefore fraction: Int) {
      var long = magnitude
      var short = UInt64(truncatingIfNeeded: magnitude)
      let length = max(Self.digitCount(magnitude), fraction + 1)
      let end = count + length + (fraction > 0 ? 1 : 0)
      var position = end
      for place in 0..<length {
        if place == fraction, fraction > 0 {
          position &-= 1
          room.storeBytes(of: UInt8(ascii: "."), toByteOffset: position, as: UInt8.self)
        }
        let digit: UInt8
        // A division of 128 bits costs many of 64.
        if long > UInt128(UInt64.max) {
          digit = UInt8(truncatingIfNeeded: long % 10)
          long /= 10
          short = UInt64(truncatingIfNeeded: long)
        } else {
          digit = UInt8(truncatingIfNeeded: short % 10)
          short /= 10
        }
        position &-= 1
        room.storeBytes(of: UInt8(ascii: "0") &+ digit, toByteOffset: position, as: UInt8.self)
      }
      count = end
    }

    private static func digitCount(_ magnitude: UInt128) -> Int {
      var (long, count) = (magnitude, 1)
      while long > UInt128(UInt64.max) {
        long /= 10
        count += 1
      }
      var short = UInt64(truncatingIfNeeded: long)
      while short >= 10 {
        short /= 10
        count += 1
      }
      return count
    }
  }
}
