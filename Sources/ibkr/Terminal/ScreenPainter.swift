// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Turns frames into what has to be written for the screen to show them.
///
/// It writes the lines that differ from those that are there, all in one piece, so that nothing
/// flickers and a slow line carries little.
struct ScreenPainter {
  /// To the alternate screen, without a cursor and without wrapping.
  static let enter = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[2J"
  /// Back to the screen that was there, as it was; also out of a frame that was cut off.
  static let leave = "\u{1B}[?2026l\u{1B}[0m\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"

  private var shown: [String] = []
  private var size = (columns: 0, lines: 0)

  /// Forgets what is shown: the next frame is drawn whole.
  mutating func forget() {
    shown = []
    size = (0, 0)
  }

  /// What has to be written.
  ///
  /// - Parameters:
  ///   - lines: The frame, from the top; what does not fit is cut.
  ///   - terminal: Its size, and what it shows.
  /// - Returns: The text, empty if the frame is there already.
  mutating func paint(_ lines: [StyledLine], on terminal: Terminal) -> String {
    var text = ""
    if size != (terminal.width, terminal.height) {
      size = (terminal.width, terminal.height)
      shown = []
      text += "\u{1B}[0m\u{1B}[2J"
    }
    let new = lines.prefix(terminal.height).map { $0.text(on: terminal, cells: terminal.width) }
    for row in 0..<max(new.count, shown.count) {
      let line = row < new.count ? new[row] : ""
      if row < shown.count, shown[row] == line { continue }
      if row >= shown.count, line.isEmpty { continue }
      // At the right edge the cursor stands on what was written last, which would be erased.
      let isFull = row < lines.count && lines[row].width >= terminal.width
      text += "\u{1B}[\(row + 1);1H\(line)\(isFull ? "" : "\u{1B}[K")"
    }
    shown = new
    // A synchronized update, where the terminal knows it: nothing is shown before all is there.
    return text.isEmpty ? "" : "\u{1B}[?2026h\(text)\u{1B}[?2026l"
  }
}
