// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How a text looks, where there are colours.
enum TextStyle: Hashable {
  case plain, dim, bold, red, green, yellow
  /// It has just risen, or fallen, or changed without a direction.
  case risen, fallen, changed

  /// The parameters of SGR (ECMA-48 8.3.117); nil for nothing.
  var code: String? {
    switch self {
    case .plain: nil
    case .dim: "2"
    case .bold: "1"
    case .red: "31"
    case .green: "32"
    case .yellow: "33"
    case .risen: "30;42"
    case .fallen: "37;41"
    case .changed: "7"
    }
  }
}

/// A line of texts in styles, measured in cells of the terminal.
struct StyledLine: Hashable {
  private(set) var spans: [(text: String, style: TextStyle)] = []
  /// How many cells the line takes.
  private(set) var width = 0

  /// An empty line.
  init() {}

  /// A line of one text.
  init(_ text: String, _ style: TextStyle = .plain) {
    append(text, style)
  }

  static func == (first: StyledLine, second: StyledLine) -> Bool {
    first.spans.elementsEqual(second.spans) { $0.text == $1.text && $0.style == $1.style }
  }

  func hash(into hasher: inout Hasher) {
    for span in spans {
      hasher.combine(span.text)
      hasher.combine(span.style)
    }
  }

  /// Adds a text.
  mutating func append(_ text: String, _ style: TextStyle = .plain) {
    guard !text.isEmpty else { return }
    spans.append((text, style))
    width += CellWidth.of(text)
  }

  /// Adds a text in a field of a width, cut if it has to be.
  ///
  /// - Parameters:
  ///   - text: The text.
  ///   - cells: The field's width.
  ///   - side: On which side of the field the text stands.
  ///   - style: How it looks; the rest of the field is plain.
  mutating func append(
    _ text: String,
    in cells: Int,
    _ side: TextTable.Side,
    _ style: TextStyle = .plain
  ) {
    let cut = CellWidth.prefix(of: text, cells)
    let padding = String(repeating: " ", count: max(0, cells - CellWidth.of(cut)))
    if side == .right { append(padding) }
    append(cut, style)
    if side == .left { append(padding) }
  }

  /// The line as it is written, cut at a number of cells.
  ///
  /// - Parameters:
  ///   - terminal: What can be shown.
  ///   - cells: How many cells there are.
  /// - Returns: The text; nothing behind it is in a style.
  func text(on terminal: Terminal, cells: Int) -> String {
    var left = cells
    var text = ""
    for span in spans where left > 0 {
      let cut = CellWidth.prefix(of: span.text, left)
      left -= CellWidth.of(cut)
      text += terminal.painted(cut, span.style)
      // A wide character that does not fit ends the line.
      if cut.count < span.text.count { break }
    }
    return text
  }
}
