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
    lines.append(",\"currency\":")
    lines.append(stringOrNull: currency)
    lines.append(",\"sec_type\":")
    lines.append(stringOrNull: securityType)
    lines.append(",\"multiplier\":")
    lines.append(orNull: multiplier)
    lines.append(",\"tick_size\":")
    lines.append(orNull: tickSize)
    lines.append(",\"valid_from\":")
    lines.append(realtime)
    lines.append("}\n")
  }
}
