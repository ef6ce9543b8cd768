// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON
import Testing

@testable import ibkr

@Suite struct QuoteFrameTests {
  private static let second: Int64 = 1_000_000_000

  private static func quote(
    _ last: String?,
    bid: String? = "271.70",
    ask: String? = "271.73",
    at time: Int64 = 0
  ) -> LiveQuote {
    var quote = LiveQuote(arrived: time)
    quote[.last] = last.flatMap { Decimal($0) }
    quote[.bid] = bid.flatMap { Decimal($0) }
    quote[.ask] = ask.flatMap { Decimal($0) }
    quote[.bidSize] = Decimal("700")
    quote[.askSize] = Decimal("2900")
    quote[.volume] = Decimal("23400000")
    quote[.change] = Decimal("2.11")
    quote[.changePercent] = Decimal("0.78")
    return quote
  }

  private static func board(_ names: [String]) -> QuoteBoard {
    var board = QuoteBoard()
    for (index, name) in names.enumerated() {
      board.note(UInt32(index + 1), named: name, .active, inGap: false)
      board.take(UInt32(index + 1), quote("271.73"), at: 0)
    }
    return board
  }

  private static func draw(
    _ board: QuoteBoard,
    on terminal: Terminal,
    figures: LiveFigures = LiveFigures(),
    fields: [MarketDataField] = MarketDataField.standard,
    top: Int = 0
  ) -> [String] {
    var frame = QuoteFrame(QuoteColumn.columns(of: fields))
    frame.top = top
    return frame.lines(board.ordered, figures, message: "", at: 0, on: terminal)
      .map { $0.text(on: terminal, cells: 1_000) }
  }

  @Test(arguments: [
    (60, 20), (72, 24), (80, 24), (100, 30), (120, 40), (160, 50), (200, 60),
  ])
  func everySizeIsFilledAndNotExceeded(_ width: Int, _ height: Int) {
    let names = (0..<100).map { "SYMBOL\($0)" }
    let terminal = Terminal(width: width, height: height)
    let lines = Self.draw(Self.board(names), on: terminal)
    #expect(lines.count == height)
    #expect(lines.allSatisfy { CellWidth.of($0) <= width })
    #expect(lines[0].hasPrefix("SYMBOL") && lines[0].contains("LAST"))
    #expect(lines[0].contains("BID × ") && lines[1].contains("271.70 × 271.73"))
    #expect(lines.contains { $0.hasPrefix("… ") && $0.hasSuffix("more") })
    #expect(lines.last?.contains("q quit") == true)
  }

  @Test func columnsGoByTheirImportance() {
    let board = Self.board(["AAPL"])
    let narrow = Self.draw(board, on: Terminal(width: 60, height: 20))[0]
    #expect(!narrow.contains("VOLUME") && !narrow.contains("HIGH"))
    let wide = Self.draw(board, on: Terminal(width: 200, height: 20))[0]
    for head in ["CHANGE", "VOLUME", "HIGH", "LOW", "TREND", "AGE"] {
      #expect(wide.contains(head))
    }
    // Who asks for a field sees it before what nobody asked for.
    let asked = [31, 84, 86, 7283].map { MarketDataField($0) }
    #expect(Self.draw(board, on: Terminal(width: 60), fields: asked)[0].contains("OPTION_IMPL"))
  }

  @Test func aListThatIsTooLongScrolls() {
    let names = (0..<40).map { "S\($0)" }
    let board = Self.board(names)
    let terminal = Terminal(width: 80, height: 20)
    var frame = QuoteFrame(QuoteColumn.columns(of: MarketDataField.standard))
    func lines() -> [String] {
      frame.lines(board.ordered, LiveFigures(), message: "", at: 0, on: terminal)
        .map { $0.text(on: terminal, cells: 80) }
    }
    #expect(lines()[1].hasPrefix("S0 ") && lines().contains("… 24 more"))
    frame.press(.pageDown, rows: 40, on: terminal)
    #expect(lines()[1].hasPrefix("S16 ") && lines().contains("… 16 above, 8 more"))
    frame.press(.end, rows: 40, on: terminal)
    #expect(lines()[16].hasPrefix("S39 ") && lines().contains("… 24 above, 0 more"))
    frame.press(.up, rows: 40, on: terminal)
    #expect(lines()[16].hasPrefix("S38 "))
    frame.press(.home, rows: 40, on: terminal)
    frame.press(.up, rows: 40, on: terminal)
    #expect(lines()[1].hasPrefix("S0 "))
  }

  @Test func changesFlashForAMoment() throws {
    var board = Self.board(["AAPL"])
    #expect(board.ordered[0].flashes.isEmpty)
    board.take(1, Self.quote("271.74", bid: "271.69"), at: Self.second)
    #expect(board.ordered[0].flashes[.last]?.style == .risen)
    #expect(board.ordered[0].flashes[.bid]?.style == .fallen)
    #expect(board.ordered[0].flashes[.ask] == nil)
    let colours = Terminal(width: 120, height: 20, hasColour: true)
    #expect(Self.draw(board, on: colours)[1].contains("\u{1B}[30;42m271.74▲\u{1B}[0m"))
    // Without colours the direction is a sign.
    let plain = Terminal(width: 120, height: 20)
    #expect(Self.draw(board, on: plain)[1].contains("271.74▲"))
    #expect(!Self.draw(board, on: plain).joined().contains("\u{1B}"))
    board.tick(at: Self.second + QuoteBoard.flashTime)
    #expect(board.ordered[0].flashes.isEmpty)
    board.tick(at: Self.second + QuoteBoard.moveTime)
    #expect(board.ordered[0].move == nil)
    // The same number with another zero is no change.
    board.take(1, Self.quote("271.740", bid: "271.69"), at: 9 * Self.second)
    #expect(board.ordered[0].flashes.isEmpty)
  }

  @Test func asciiIsAllThatADumbTerminalGets() {
    var board = Self.board(["AAPL"])
    for time in 1...9 { board.tick(at: Int64(time) * Self.second) }
    var figures = LiveFigures()
    figures.state = "LIVE"
    let terminal = Terminal(width: 120, height: 20, hasBlocks: false)
    let text = Self.draw(board, on: terminal, figures: figures).joined()
    #expect(text.allSatisfy { $0.isASCII })
    #expect(text.contains("* LIVE") && text.contains("271.70 x 271.73"))
  }

  @Test func whatIsNotThereIsNotInvented() {
    var board = QuoteBoard()
    board.note(1, named: "EUR.USD", .requested(attempt: 1), inGap: false)
    board.note(2, named: "\u{1B}[2JX", .failed("no"), inGap: false)
    board.note(3, named: "MSFT", .active, inGap: true)
    board.take(3, nil, at: 0)
    let lines = Self.draw(board, on: Terminal(width: 100, height: 20))
    #expect(lines[1].contains("waiting") && lines[1].contains(" - "))
    #expect(lines[2].hasPrefix("?[2JX") && lines[2].contains("refused"))
    #expect(lines[3].contains("gap"))
    board.keep { $0 == 1 }
    #expect(board.ordered.map(\.name) == ["EUR.USD"])
  }

  @Test func figuresAreShort() {
    #expect(FigureText.grouped(1_284) == "1 284")
    #expect(FigureText.grouped(999) == "999" && FigureText.grouped(1_000_000) == "1 000 000")
    #expect(FigureText.bytes(2_140_000) == "2.1 MB" && FigureText.bytes(999) == "999 B")
    #expect(FigureText.bytes(41_000_000) == "41 MB")
    #expect(FigureText.countdown(134 * Self.second) == "2:14")
    #expect(FigureText.countdown(3_734 * Self.second) == "1:02:14")
    #expect(FigureText.age(7 * Self.second) == "7s" && FigureText.age(600 * Self.second) == "10m")
    #expect(FigureText.delay(0.0384) == "38 ms" && FigureText.delay(12.3) == "12 s")
    #expect(FigureText.quantity(Decimal("23400000") ?? Decimal(0)) == "23.4M")
    #expect(FigureText.quantity(Decimal("0.5") ?? Decimal(0)) == "0.5")
    #expect(FigureText.quantity(Decimal("12345") ?? Decimal(0)) == "12 345")
  }

  @Test func theDiskLastsAsLongAsThePaceSays() {
    var pace = DiskPace()
    #expect(pace.text(free: 1) == nil)
    pace.note(bytes: 0, at: 0)
    pace.note(bytes: 35_000 * 10, at: 10 * Self.second)
    #expect(pace.text(free: 124_000_000_000) == "disk 2.1 MB/min (41 d left)")
    #expect(pace.text(free: 35_000 * 3_600) == "disk 2.1 MB/min (1.0 h left)")
    #expect(pace.text(free: nil) == "disk 2.1 MB/min")
  }
}
