// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Numbers as a line of bars, each as high as the smallest and the largest allow.
enum Sparkline {
  /// Draws the newest values, the newest last.
  ///
  /// - Parameters:
  ///   - values: The values, oldest first; nil where there was none.
  ///   - cells: How many to draw.
  ///   - hasBlocks: Whether more than ASCII is understood.
  /// - Returns: A text of so many characters.
  static func text(_ values: some Collection<Double?>, cells: Int, hasBlocks: Bool) -> String {
    let shown = values.suffix(max(0, cells))
    let known = shown.compactMap { $0 }
    let levels = Array(hasBlocks ? "▁▂▃▄▅▆▇█" : "_.-=*#")
    let low = known.min() ?? 0
    let span = (known.max() ?? 0) - low
    let bars = shown.map { value -> Character in
      guard let value else { return " " }
      // Where nothing has changed, the line is in the middle.
      guard span > 0 else { return levels[levels.count / 2 - 1] }
      return levels[min(levels.count - 1, Int((value - low) / span * Double(levels.count)))]
    }
    return String(repeating: " ", count: max(0, cells - bars.count)) + String(bars)
  }
}
