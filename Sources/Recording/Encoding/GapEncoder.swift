// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// Writes the lines of `ch=gap`: one for each outage and set of instruments, when it is over.
struct GapEncoder {
  private let run: RunID
  private let start: LineStart

  init(run: RunID, _ start: LineStart) {
    self.run = run
    self.start = start
  }

  /// Appends the line of a gap that has ended, or that the end of the run cut off.
  ///
  /// - Parameters:
  ///   - gap: The gap.
  ///   - symbols: The names of the instruments concerned.
  ///   - lines: Where to put the line.
  func append(_ gap: Gap, symbols: [String], to lines: inout LineBuffer) {
    start.append(seq: gap.stamp.seq, realtime: gap.stamp.realtime, event: nil, to: &lines)
    lines.append(",\"gap_id\":")
    lines.append(string: "\(run)-\(gap.id)")
    gap.appendSpan(to: &lines, start.time)
    lines.append(",\"reason\":")
    lines.append(string: gap.reason.rawValue)
    lines.append(",\"symbols\":")
    lines.append(strings: symbols)
    lines.append(",\"conids\":")
    lines.append(integers: gap.conids)
    gap.appendDetection(to: &lines)
    // Only a gap that spans two runs has another to name, and it is written at start-up.
    // What comes of it is known later: `ch=status` has that.
    lines.append(",\"run_prev\":null,\"backfill\":")
    lines.append(gap.willBeFilled ? "\"pending\"}\n" : "\"none\"}\n")
  }
}
