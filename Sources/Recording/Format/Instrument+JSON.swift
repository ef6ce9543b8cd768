// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import IBKR

extension Instrument {
  /// The instrument's line of `instruments.ndjson`.
  ///
  /// - Parameters:
  ///   - run: The run that looked it up.
  ///   - realtime: When, in nanoseconds since 1970: the line is valid from then.
  ///   - lines: Where to put the line.
  package func appendLine(run: RunID, realtime: Int64, to lines: inout LineBuffer) {
    lines.append("{\"v\":1,\"run\":\"")
    lines.append(contentsOf: Array(run.description.utf8))
    lines.append("\",\"conid\":")
    lines.append(Int64(conid))
    lines.append(",\"symbol\":")
    lines.append(string: symbol)
    lines.append(",\"exchange\":")
    lines.append(stringOrNull: exchange)
    // The look-up by symbol tells neither currency nor multiplier nor tick size; the columns are
    // there from the first day all the same, so that they never move.
    lines.append(",\"currency\":null,\"sec_type\":")
    lines.append(stringOrNull: securityType)
    lines.append(",\"multiplier\":null,\"tick_size\":null,\"valid_from\":")
    lines.append(realtime)
    lines.append("}\n")
  }
}
