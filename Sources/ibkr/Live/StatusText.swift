// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Parts of a line that stand in the order of their importance.
enum StatusText {
  /// A line of as many parts as fit.
  ///
  /// - Parameters:
  ///   - parts: The texts with their styles, the most important first.
  ///   - right: What stands at the right end, if there is room for it.
  ///   - terminal: Its width.
  /// - Returns: The line.
  static func line(
    _ parts: [(String, TextStyle)],
    right: String = "",
    on terminal: Terminal
  ) -> StyledLine {
    var line = StyledLine()
    for (text, style) in parts {
      guard line.width == 0 || line.width + 2 + CellWidth.of(text) <= terminal.width else { break }
      if line.width > 0 { line.append("  ") }
      line.append(text, style)
    }
    let rest = terminal.width - line.width - CellWidth.of(right)
    if !right.isEmpty, rest >= 2 {
      line.append(String(repeating: " ", count: rest))
      line.append(right, .dim)
    }
    return line
  }
}
