// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Draws the live table: a pure function of what is known, the size and the place in the list.
struct QuoteFrame {
  /// The columns that there are.
  let columns: [QuoteColumn]
  /// The first row that is shown.
  var top = 0
  /// The widest that each column has been: a column that is wider for a moment moves no other.
  private var widths: [QuoteColumn: Int] = [:]

  /// How wide the line of prices is at least, and at most.
  private static let trend = 8...QuoteBoard.depth
  private static let longestName = 24
  private static let longestHead = 12

  /// Begins with some columns.
  init(_ columns: [QuoteColumn]) {
    self.columns = columns
  }

  /// The rows that fit between head and foot.
  static func room(in terminal: Terminal) -> Int { max(1, terminal.height - 3) }

  /// Moves the list.
  ///
  /// - Parameters:
  ///   - key: The key that was pressed.
  ///   - rows: How many rows there are.
  ///   - terminal: Its size.
  mutating func press(_ key: Key, rows: Int, on terminal: Terminal) {
    let page = max(1, Self.room(in: terminal) - 1)
    switch key {
    case .up, .character("k"): top -= 1
    case .down, .character("j"): top += 1
    case .pageUp: top -= page
    case .pageDown, .character(" "): top += page
    case .home, .character("g"): top = 0
    case .end, .character("G"): top = rows
    case .character: break
    }
    top = Self.clamped(top, rows: rows, on: terminal)
  }

  private static func clamped(_ top: Int, rows: Int, on terminal: Terminal) -> Int {
    let room = room(in: terminal)
    // The line that says how many more there are takes the place of a row.
    return rows <= room ? 0 : min(max(0, top), rows - room + 1)
  }

  /// The screen.
  ///
  /// - Parameters:
  ///   - rows: The rows.
  ///   - figures: How the stream is getting on.
  ///   - message: The newest line of the log, empty for none.
  ///   - now: The monotonic clock.
  ///   - terminal: Its size, and what it shows.
  /// - Returns: The lines.
  mutating func lines(
    _ rows: [QuoteBoard.Row],
    _ figures: LiveFigures,
    message: String,
    at now: Int64,
    on terminal: Terminal
  ) -> [StyledLine] {
    measure(rows, at: now, on: terminal)
    let shown = layout(in: terminal)
    top = Self.clamped(top, rows: rows.count, on: terminal)
    let room = Self.room(in: terminal)
    let isCut = rows.count > room
    let visible = rows[top..<min(rows.count, top + (isCut ? room - 1 : room))]
    var lines = [head(shown, on: terminal)]
    for row in visible { lines.append(line(row, shown, at: now, on: terminal)) }
    if isCut {
      let below = rows.count - visible.endIndex
      let dots = terminal.hasBlocks ? "…" : "..."
      let above = top > 0 ? "\(top) above, " : ""
      lines.append(StyledLine("\(dots) \(above)\(below) more", .dim))
    }
    while lines.count < room + 1 { lines.append(StyledLine()) }
    let trouble = figures.trouble.isEmpty ? message : figures.trouble
    lines.append(
      StyledLine(Terminal.harmless(trouble), figures.trouble.isEmpty ? .dim : figures.style)
    )
    lines.append(Self.foot(figures, isCut: isCut, on: terminal))
    return lines
  }

  private mutating func measure(
    _ rows: [QuoteBoard.Row],
    at now: Int64,
    on terminal: Terminal
  ) {
    for column in columns {
      // The names of fields are long, and most values short.
      let head = min(CellWidth.of(column.head), Self.longestHead)
      // A note is there for a moment, and takes no room behind that.
      var width = column == .note ? 0 : max(widths[column] ?? 0, head)
      for row in rows {
        width = max(width, CellWidth.of(row.cell(column, at: now, on: terminal).text))
      }
      widths[column] = column == .symbol ? min(width, Self.longestName) : width
    }
    widths[.trend] = Self.trend.lowerBound
  }

  /// The columns that fit, the most important first chosen, with their widths.
  private func layout(in terminal: Terminal) -> [(column: QuoteColumn, width: Int)] {
    func width(_ columns: [QuoteColumn]) -> Int {
      var before: QuoteColumn?
      return columns.reduce(0) { sum, column in
        defer { before = column }
        return sum + CellWidth.of(column.gap(after: before, terminal)) + (widths[column] ?? 0)
      }
    }
    var shown = columns.filter { $0 == .symbol }
    for rank in Set(columns.map(\.rank)).sorted() where rank > 0 {
      let equals = columns.filter { $0.rank == rank }
      for group in equals[0].isOneOfTwo ? [equals] : equals.map({ [$0] }) {
        let more = columns.filter { shown.contains($0) || group.contains($0) }
        if width(more) <= terminal.width { shown = more }
      }
    }
    let rest = terminal.width - width(shown)
    return shown.map { column in
      let width = widths[column] ?? 0
      guard column == .trend else { return (column, width) }
      return (column, min(Self.trend.upperBound, width + max(0, rest)))
    }
  }

  private func head(
    _ shown: [(column: QuoteColumn, width: Int)],
    on terminal: Terminal
  ) -> StyledLine {
    var line = StyledLine()
    var before: QuoteColumn?
    for (column, width) in shown {
      line.append(column.gap(after: before, terminal), .dim)
      let side: TextTable.Side = column == .trend ? .right : column.side
      let head = column == .last ? column.head + " " : column.head
      line.append(head, in: width, side, .dim)
      before = column
    }
    return line
  }

  private func line(
    _ row: QuoteBoard.Row,
    _ shown: [(column: QuoteColumn, width: Int)],
    at now: Int64,
    on terminal: Terminal
  ) -> StyledLine {
    var line = StyledLine()
    var before: QuoteColumn?
    for (column, width) in shown {
      line.append(column.gap(after: before, terminal), .dim)
      if column == .trend {
        line.append(Sparkline.text(row.prices, cells: width, hasBlocks: terminal.hasBlocks))
      } else {
        let (text, style) = row.cell(column, at: now, on: terminal)
        line.append(
          column == .symbol ? Terminal.harmless(text) : text,
          in: width,
          column.side,
          style
        )
      }
      before = column
    }
    return line
  }

  /// The last line: how the stream is, and at the right what keys do.
  static func foot(_ figures: LiveFigures, isCut: Bool, on terminal: Terminal) -> StyledLine {
    var parts = figures.parts(of: "msg", late: "delay", on: terminal)
    if let gap = figures.gapPart { parts.append(gap) }
    if figures.skipped > 0 {
      parts.append(("\(FigureText.grouped(figures.skipped)) skipped", .yellow))
    }
    let arrows = terminal.hasBlocks ? "↑↓ scroll  " : "arrows scroll  "
    return StatusText.line(parts, right: (isCut ? arrows : "") + "q quit", on: terminal)
  }
}
