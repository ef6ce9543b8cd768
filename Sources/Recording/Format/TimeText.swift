// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A member with a time in nanoseconds as it stands in lines, `,"ts_recv":1795470934948000000`.
///
/// Everything that one read gave has the same time, and quotes of one moment the same one of the
/// server's: the digits are made when the time is another one. It belongs to one encoder.
final class TimeText {
  private let name: StaticString
  private var time = Int64.min
  private var text = SIMD32<UInt8>()
  private var count = 0

  /// - Parameter name: What stands before the digits, of at most 12 bytes, so that with 20 digits
  ///   nothing is longer than the text.
  init(_ name: StaticString) {
    self.name = name
  }

  /// Stores the member with a time, for which there must be room for 32 bytes.
  @inline(__always)
  func put(_ time: Int64, to line: inout LineCursor) {
    if time != self.time || count == 0 { set(time) }
    line.put(text, count: count)
  }

  @inline(never)
  private func set(_ time: Int64) {
    self.time = time
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { room in
      guard let start = room.baseAddress else { return }
      var line = LineCursor(start)
      line.put(name)
      line.put(time)
      count = line.count
      for index in 0..<line.count { text[index] = start[index] }
    }
  }
}
