// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// How soon after a write the next one may be.
///
/// A write costs about the same for one line as for a hundred, so one for each batch of a busy stream
/// would take more of the thread's time than making the lines. The pause after a write is a multiple
/// of what it took: a line of a slow stream is written when it comes, and those of a busy one in
/// batches that grow with the load.
struct WritePace {
  /// How many times as long as a write the pause after it is: so writes take a seventeenth of the
  /// time at most.
  static let factor: Int64 = 16

  /// The earliest monotonic time of the next write, in nanoseconds.
  private(set) var next = Int64.min

  private let longest: Int64

  /// Begins without a pause.
  ///
  /// - Parameter longest: The longest pause, however long a write took.
  init(longest: Duration) {
    self.longest = longest.nanoseconds
  }

  /// Notes a write.
  ///
  /// - Parameters:
  ///   - begun: The monotonic time before it.
  ///   - ended: The same after it.
  mutating func wrote(from begun: Int64, to ended: Int64) {
    let (pause, isLong) = (ended - begun).multipliedReportingOverflow(by: Self.factor)
    next = ended + max(0, isLong ? longest : min(pause, longest))
  }
}
