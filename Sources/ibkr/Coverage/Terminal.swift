// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// What can be drawn where a text goes.
struct Terminal: Hashable {
  /// How many characters a line has.
  var width = 80
  /// Whether colours are understood, and wanted.
  var hasColour = false
  /// Whether more than ASCII is understood.
  var hasBlocks = true

  /// The narrowest that is drawn for.
  static let narrowest = 40

  /// Something of a size and with colours of the caller's.
  init(width: Int = 80, hasColour: Bool = false, hasBlocks: Bool = true) {
    self.width = max(width, Self.narrowest)
    self.hasColour = hasColour
    self.hasBlocks = hasBlocks
  }

  /// What a descriptor is: a terminal of some size, or a pipe or a file, which get neither colours nor
  /// lines of more than 80 characters.
  ///
  /// `NO_COLOR` (no-color.org) and `TERM=dumb` are obeyed; the latter gets ASCII only.
  ///
  /// - Parameters:
  ///   - descriptor: The descriptor.
  ///   - variable: Gives a variable of the environment.
  init(
    _ descriptor: Int32,
    variable: (String) -> String? = { getenv($0).map { String(cString: $0) } }
  ) {
    let isDumb = variable("TERM") == "dumb"
    let isTerminal = isatty(descriptor) == 1
    var size = winsize()
    let columns =
      isTerminal && ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
    self.init(
      width: columns > 0 ? columns : 80,
      hasColour: isTerminal && !isDumb && (variable("NO_COLOR") ?? "").isEmpty,
      hasBlocks: !isDumb
    )
  }

  /// A text in red, where there are colours.
  func red(_ text: String) -> String { hasColour ? "\u{1B}[31m\(text)\u{1B}[0m" : text }

  /// A text that is less important, where that can be shown.
  func dim(_ text: String) -> String { hasColour ? "\u{1B}[2m\(text)\u{1B}[0m" : text }

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
