// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// What can be drawn where a text goes.
struct Terminal: Hashable {
  /// How many characters a line has.
  var width = 80
  /// How many lines are seen at once.
  var height = 24
  /// Whether colours are understood, and wanted.
  var hasColour = false
  /// Whether more than ASCII is understood.
  var hasBlocks = true
  /// Whether what has been drawn can be drawn over.
  var hasCursor = false

  /// The narrowest that is drawn for.
  static let narrowest = 40

  /// Something of a size and with colours of the caller's.
  init(
    width: Int = 80,
    height: Int = 24,
    hasColour: Bool = false,
    hasBlocks: Bool = true,
    hasCursor: Bool = false
  ) {
    self.width = max(width, Self.narrowest)
    self.height = max(height, 4)
    self.hasColour = hasColour
    self.hasBlocks = hasBlocks
    self.hasCursor = hasCursor
  }

  /// What a descriptor is: a terminal of some size, or a pipe or a file, which get neither colours nor
  /// lines of more than 80 characters.
  ///
  /// `NO_COLOR` (no-color.org) counts before `CLICOLOR_FORCE` (bixense.com/clicolors), and
  /// `TERM=dumb` gets ASCII only, a line after the other.
  ///
  /// - Parameters:
  ///   - descriptor: The descriptor.
  ///   - withoutColour: Whether `--no-color` was given.
  ///   - variable: Gives a variable of the environment.
  init(
    _ descriptor: Int32,
    withoutColour: Bool = false,
    variable: (String) -> String? = { getenv($0).map { String(cString: $0) } }
  ) {
    let isTerminal = isatty(descriptor) == 1
    let size = isTerminal ? Self.size(of: descriptor) : nil
    self.init(isTerminal: isTerminal, size: size, withoutColour: withoutColour, variable: variable)
  }

  /// What is known of a terminal, or of none.
  ///
  /// - Parameters:
  ///   - isTerminal: Whether it is one.
  ///   - size: Its columns and lines, nil if they are not known.
  ///   - withoutColour: Whether `--no-color` was given.
  ///   - variable: Gives a variable of the environment.
  init(
    isTerminal: Bool,
    size: (columns: Int, lines: Int)?,
    withoutColour: Bool,
    variable: (String) -> String?
  ) {
    func isSet(_ name: String) -> Bool { !(variable(name) ?? "").isEmpty }
    let isDumb = variable("TERM") == "dumb"
    let isForced = isSet("CLICOLOR_FORCE") && variable("CLICOLOR_FORCE") != "0"
    self.init(
      width: size?.columns ?? 80,
      height: size?.lines ?? 24,
      hasColour: !withoutColour && !isSet("NO_COLOR") && (isForced || isTerminal && !isDumb),
      hasBlocks: !isDumb,
      hasCursor: isTerminal && !isDumb
    )
  }

  /// The columns and lines of a terminal; nil if it does not say.
  static func size(of descriptor: Int32) -> (columns: Int, lines: Int)? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
      return nil
    }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// A text in red, where there are colours.
  func red(_ text: String) -> String { painted(text, .red) }

  /// A text that is less important, where that can be shown.
  func dim(_ text: String) -> String { painted(text, .dim) }

  /// A text in a style, where there are colours.
  func painted(_ text: String, _ style: TextStyle) -> String {
    guard hasColour, let code = style.code, !text.isEmpty else { return text }
    return "\u{1B}[\(code)m\(text)\u{1B}[0m"
  }

  /// A text without what a terminal would obey.
  static func harmless(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          switch scalar.properties.generalCategory {
          case .control, .format, .lineSeparator, .paragraphSeparator: "?"
          default: scalar
          }
        }
      )
    )
  }
}
