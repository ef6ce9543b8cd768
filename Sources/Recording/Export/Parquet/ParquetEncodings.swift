// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

// Parquet's encodings: github.com/apache/parquet-format, Encodings.md.
extension LineBuffer {
  /// Appends numbers as runs of equal ones and as groups of eight packed ones (`RLE`).
  ///
  /// - Parameters:
  ///   - numbers: The numbers.
  ///   - width: How many bits each has, 1 to 32.
  mutating func append<Number: FixedWidthInteger & UnsignedInteger>(
    hybrid numbers: UnsafeBufferPointer<Number>,
    width: Int
  ) {
    var index = 0
    while index < numbers.count {
      let run = Self.run(of: numbers, at: index)
      if run >= 8 {
        append(varint: UInt64(run) << 1)
        let value = UInt32(numbers[index])
        for byte in 0..<(width + 7) / 8 {
          append(UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)))
        }
        index += run
        continue
      }
      // Groups of eight until a run begins; the last may be filled up with zeros.
      let start = index
      repeat { index += 8 } while index < numbers.count && Self.run(of: numbers, at: index) < 8
      append(varint: UInt64((index - start) / 8) << 1 | 1)
      let values = UnsafeBufferPointer(rebasing: numbers[start..<min(index, numbers.count)])
      append(packed: values, count: index - start, width: width)
    }
  }

  /// How many equal numbers stand here; eight are enough to know, unless they are the run itself.
  private static func run<Number: FixedWidthInteger & UnsignedInteger>(
    of numbers: UnsafeBufferPointer<Number>,
    at start: Int
  ) -> Int {
    let value = numbers[start]
    var end = start + 1
    while end < numbers.count, numbers[end] == value { end += 1 }
    return end - start
  }

  /// Appends numbers of a few bits each, the lowest first, filled up with zeros.
  private mutating func append<Number: FixedWidthInteger & UnsignedInteger>(
    packed numbers: UnsafeBufferPointer<Number>,
    count: Int,
    width: Int
  ) {
    let byteCount = (count * width + 7) / 8
    append(atMost: byteCount) { room in
      var (bits, held, place) = (UInt64(0), 0, 0)
      for index in 0..<count {
        bits |= (index < numbers.count ? UInt64(numbers[index]) : 0) << UInt64(held)
        held += width
        while held >= 8 {
          room[place] = UInt8(truncatingIfNeeded: bits)
          place += 1
          bits >>= 8
          held -= 8
        }
      }
      if held > 0 {
        room[place] = UInt8(truncatingIfNeeded: bits)
        place += 1
      }
      return place
    }
  }

  /// Appends integers as what each is more than the one before it (`DELTA_BINARY_PACKED`).
  ///
  /// Numbers and times of successive rows are near each other, so this takes a third of what it
  /// takes to write them whole and compress them.
  ///
  /// - Parameter numbers: The integers, at least one.
  mutating func append(deltas numbers: [Int64]) {
    let (blockSize, miniBlocks) = (128, 4)
    append(varint: UInt64(blockSize))
    append(varint: UInt64(miniBlocks))
    append(varint: UInt64(numbers.count))
    append(zigzag: numbers.first ?? 0)
    var index = 1
    var deltas: [Int64] = []
    while index < numbers.count {
      deltas.removeAll(keepingCapacity: true)
      for place in index..<min(index + blockSize, numbers.count) {
        // What does not fit comes out right again when it is added.
        deltas.append(numbers[place] &- numbers[place - 1])
      }
      index += deltas.count
      let least = deltas.min() ?? 0
      append(zigzag: least)
      append(deltas: deltas, above: least, miniBlocks: miniBlocks)
    }
  }

  private mutating func append(deltas: [Int64], above least: Int64, miniBlocks: Int) {
    let size = 32
    let rests = deltas.map { UInt64(bitPattern: $0 &- least) }
    let pieces = (0..<miniBlocks).map { piece in
      rests[min(piece * size, rests.count)..<min((piece + 1) * size, rests.count)]
    }
    let widths = pieces.map { piece in
      piece.map { UInt64.bitWidth - $0.leadingZeroBitCount }.max() ?? 0
    }
    for width in widths { append(UInt8(width)) }
    for (piece, width) in zip(pieces, widths) where !piece.isEmpty && width > 0 {
      append(wide: piece, count: size, width: width)
    }
  }

  /// As ``append(packed:count:width:)``, for numbers of up to 64 bits.
  private mutating func append(wide numbers: ArraySlice<UInt64>, count: Int, width: Int) {
    append(atMost: count * width / 8) { room in
      var (bits, held, place) = (UInt128(0), 0, 0)
      for offset in 0..<count {
        let index = numbers.startIndex + offset
        bits |= (index < numbers.endIndex ? UInt128(numbers[index]) : 0) << UInt128(held)
        held += width
        while held >= 8 {
          room[place] = UInt8(truncatingIfNeeded: bits)
          place += 1
          bits >>= 8
          held -= 8
        }
      }
      return place
    }
  }
}
