// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// Writes the lines of `ch=gap`: one for each outage and set of instruments, when it is over.
struct GapEncoder {
  private let run: RunID

  init(run: RunID) {
    self.run = run
  }

  /// Appends the line of a gap that has ended, or that the end of the run cut off.
  ///
  /// - Parameters:
  ///   - gap: The gap.
  ///   - symbols: The names of the instruments concerned.
  ///   - lines: Where to put the line.
  func append(_ gap: Gap, symbols: [String], to lines: inout LineBuffer) {
    lines.append("{\"v\":1,\"run\":")
    lines.append(string: run.description)
    lines.append(",\"seq\":")
    lines.append(gap.stamp.seq)
    lines.append(",\"ts_recv\":")
    lines.append(gap.stamp.realtime)
    lines.append(",\"ts_event\":null,\"gap_id\":")
    lines.append(string: "\(run)-\(gap.id)")
    gap.appendSpan(to: &lines)
    lines.append(",\"reason\":")
    lines.append(string: gap.reason.rawValue)
    lines.append(",\"symbols\":")
    lines.append(strings: symbols)
    lines.append(",\"conids\":")
    lines.append(integers: gap.conids)
    gap.appendDetection(to: &lines)
    // Only a gap that spans two runs has another to name, and it is written at start-up.
    lines.append(",\"run_prev\":null,\"backfill\":\"none\"}\n")
  }
}
