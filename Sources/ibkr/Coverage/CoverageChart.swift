// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import Recording

/// A recording's coverage as bars of characters: a line for each instrument.
struct CoverageChart {
  private let coverage: RecordingCoverage
  private let name: String
  private let terminal: Terminal
  /// How many characters a name has.
  private let nameWidth: Int
  /// How many characters the bars of an instrument have.
  private let columns: Int
  /// Where the first of them begins, and how long each is, in nanoseconds.
  private let (start, step): (Int64, Int64)

  /// The room for the figures behind the bars.
  private static let figureWidth = 22
  /// The most gaps that are listed.
  private static let listed = 20

  /// Measures a chart.
  ///
  /// - Parameters:
  ///   - coverage: What to draw.
  ///   - name: What the recording is called.
  ///   - terminal: What to draw for.
  init(of coverage: RecordingCoverage, named name: String, on terminal: Terminal) {
    self.coverage = coverage
    self.name = Terminal.harmless(name)
    self.terminal = terminal
    let longest = coverage.symbols.map { $0.symbol.count }.max() ?? 0
    nameWidth = min(max(longest, 4), 16)
    // A character is one bucket or several whole ones, aligned to UTC, so none is counted twice.
    let width = max(1, coverage.bucketNanoseconds)
    let (first, last) = coverage.range.map { ($0.lowerBound, $0.upperBound) } ?? (0, 0)
    let room = Int64(max(10, terminal.width - nameWidth - 1 - Self.figureWidth))
    var buckets: Int64 = 1
    let day: Int64 = 86_400_000_000_000
    // Where the hours and days that people think in are whole.
    while last / (buckets * width) - first / (buckets * width) >= room
      || buckets * width < day && day % (buckets * width) != 0
    { buckets += 1 }
    step = buckets * width
    start = first / step * step
    columns = Int(last / step - first / step) + 1
  }

  /// The chart: a head, a line for each instrument, the latency, the gaps.
  var text: String {
    guard let range = coverage.range else {
      return "\(name): nothing is recorded in ch=quote, and no gap\n"
    }
    let runs = coverage.runs.count
    var text =
      "\(name)  \(TimeText.text(range.lowerBound)) to \(TimeText.text(range.upperBound))  "
      + "\(runs) \(runs == 1 ? "run" : "runs")\n\n"
    text += terminal.dim(axis) + "\n"
    for symbol in coverage.symbols { text += line(of: symbol) }
    text += "\n" + legend + latency
    if !coverage.gaps.isEmpty { text += "\n" + gaps }
    return text
  }

  /// When the bars begin, and when every so many of them.
  private var axis: String {
    let days = columns > 1 && Int64(columns) * step > 2 * 86_400_000_000_000
    let seconds = step < 60_000_000_000 && !days
    let width = days || !seconds ? 12 : 15
    var line = String(repeating: " ", count: nameWidth + 1)
    for column in stride(from: 0, to: max(1, columns - width + 4), by: width) {
      // 2026-11-23T14:30:00.000Z
      let moment = TimeText.text(start + Int64(column) * step)
      let label =
        days
        ? moment.prefix(10).suffix(5) + " " + moment.dropFirst(11).prefix(5)
        : moment.dropFirst(11).prefix(seconds ? 8 : 5)
      line += label + String(repeating: " ", count: max(0, width - label.count))
    }
    while line.last == " " { line.removeLast() }
    return line
  }

  private func line(of symbol: SymbolCoverage) -> String {
    var name = Terminal.harmless(symbol.symbol)
    if name.count > nameWidth {
      name = name.prefix(nameWidth - 1) + (terminal.hasBlocks ? "…" : "~")
    }
    name += String(repeating: " ", count: nameWidth - name.count)
    let messages = Self.right(String(symbol.messages), 11)
    let missing =
      symbol.gaps > 0
      ? terminal.red(Self.right(Self.percent(of: symbol), 9)) : Self.right("100%", 9)
    return "\(name) \(bars(of: symbol))\(messages) \(missing)\n"
  }

  /// The bars, each as high as the most messages of the instrument allow.
  private func bars(of symbol: SymbolCoverage) -> String {
    let parts = symbol.timeline(every: step)
    let most = parts.map { $0.bucket?.messages ?? 0 }.max() ?? 0
    var bars = Array(repeating: " ", count: columns)
    for run in coverage.runs {
      guard let end = run.end else { continue }
      let covered = column(of: run.start)...max(column(of: run.start), column(of: end))
      for column in covered { bars[column] = terminal.hasBlocks ? "·" : "." }
    }
    for part in parts {
      let messages = part.bucket?.messages ?? 0
      if part.reasons.isEmpty {
        bars[column(of: part.start)] = bar(messages, of: most)
      } else {
        // However short a gap is, it is seen.
        let isWhole = part.missingNanoseconds >= step / 2
        bars[column(of: part.start)] = terminal.red(
          terminal.hasBlocks ? (isWhole ? "╳" : "×") : (isWhole ? "X" : "x")
        )
      }
    }
    return bars.joined()
  }

  private func column(of time: Int64) -> Int {
    min(max(Int((time - start) / step), 0), columns - 1)
  }

  private func bar(_ messages: Int, of most: Int) -> String {
    let levels = Array(terminal.hasBlocks ? "▁▂▃▄▅▆▇█" : "_-=+*oO#")
    return String(levels[min(levels.count - 1, messages * levels.count / max(1, most))])
  }

  private var legend: String {
    let (quiet, short, long, high) =
      terminal.hasBlocks ? ("·", "×", "╳", "▁…█") : (".", "x", "X", "_…#")
    let signs =
      "\(high) messages, each instrument on its own scale  \(quiet) none  "
      + "\(terminal.red(short)) \(terminal.red(long)) gap"
    return (terminal.hasBlocks ? signs : signs.filter(\.isASCII)) + "\n"
      + "a character is \(TimeText.span(step)); behind the bars: messages, and time without a gap\n"
  }

  private var latency: String {
    guard let half = coverage.latency.percentile(50), let most = coverage.latency.percentile(99),
      let longest = coverage.latency.max
    else { return "" }
    let early = coverage.latency.early
    return "latency: p50 \(Self.seconds(half))  p99 \(Self.seconds(most))  max "
      + "\(Self.seconds(longest))"
      + (early > 0 ? "  (\(early) came before they were sent: a clock is wrong)" : "") + "\n"
  }

  private var gaps: String {
    var table = TextTable([
      ("GAP FROM", .left), ("LASTED", .right), ("REASON", .left), ("BARS", .right),
      ("INSTRUMENTS", .left),
    ])
    for gap in coverage.gaps.prefix(Self.listed) {
      let recorded = gap.recorded
      let names = recorded.symbols.prefix(4).map(Terminal.harmless).joined(separator: " ")
      let rest = recorded.symbols.count > 4 ? " and \(recorded.symbols.count - 4) more" : ""
      let lasted = recorded.end.map { TimeText.span($0 - recorded.start) } ?? "to the end"
      table.append([
        TimeText.text(recorded.start), lasted, recorded.reason.rawValue,
        gap.bars > 0 ? String(gap.bars) : "-", names + rest,
      ])
    }
    let more = coverage.gaps.count - Self.listed
    return table.text + (more > 0 ? "and \(more) more: see ibkr gaps\n" : "")
  }

  /// The time without a gap, never rounded up: 100% means that there is none.
  static func percent(of symbol: SymbolCoverage) -> String {
    guard let share = symbol.share else { return "-" }
    let hundredths = Int((share * 10_000).rounded(.down))
    let rest = String(hundredths % 100)
    return "\(hundredths / 100).\(rest.count < 2 ? "0" : "")\(rest)%"
  }

  /// A latency with the unit that suits it.
  static func seconds(_ nanoseconds: Int64) -> String {
    switch nanoseconds {
    case ..<1_000: "\(nanoseconds) ns"
    case ..<1_000_000: "\(nanoseconds / 1_000) µs"
    case ..<1_000_000_000: "\(nanoseconds / 1_000_000) ms"
    default: TimeText.span(nanoseconds)
    }
  }

  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
