// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import ibkr

@Suite struct TerminalTests {
  private static func terminal(
    _ variables: [String: String],
    isTerminal: Bool = true,
    withoutColour: Bool = false
  ) -> Terminal {
    Terminal(isTerminal: isTerminal, size: nil, withoutColour: withoutColour) { variables[$0] }
  }

  @Test func coloursFollowTheVariablesAndTheOption() {
    let usual = ["TERM": "xterm-256color"]
    #expect(Self.terminal(usual).hasColour)
    #expect(!Self.terminal(usual, withoutColour: true).hasColour)
    #expect(!Self.terminal(usual, isTerminal: false).hasColour)
    #expect(
      Self.terminal(usual.merging(["CLICOLOR_FORCE": "1"]) { $1 }, isTerminal: false).hasColour
    )
    #expect(
      !Self.terminal(usual.merging(["CLICOLOR_FORCE": "0"]) { $1 }, isTerminal: false).hasColour
    )
    // no-color.org: present and not empty, whatever its value.
    for variables in [["NO_COLOR": "1"], ["NO_COLOR": "0", "CLICOLOR_FORCE": "1"]] {
      #expect(!Self.terminal(usual.merging(variables) { $1 }).hasColour)
    }
    #expect(Self.terminal(["TERM": "xterm", "NO_COLOR": ""]).hasColour)
  }

  @Test func aDumbTerminalIsNotDrawnOver() {
    let dumb = Self.terminal(["TERM": "dumb"])
    #expect(!dumb.hasCursor && !dumb.hasColour && !dumb.hasBlocks)
    #expect(Self.terminal(["TERM": "xterm"]).hasCursor)
    #expect(!Self.terminal(["TERM": "xterm"], isTerminal: false).hasCursor)
  }

  @Test(
    arguments: [
      ("AAPL", 4), ("", 0), ("…", 1), ("●", 1), ("日本", 4), ("e\u{301}", 1), ("한글", 4),
      ("👍", 2), ("❤\u{FE0F}", 2), ("a\u{200B}b", 2), ("▁█", 2), ("é", 1),
    ] as [(String, Int)]
  )
  func widths(_ text: String, _ cells: Int) {
    #expect(CellWidth.of(text) == cells)
  }

  @Test func aTextIsCutAtCellsAndNotInCharacters() {
    #expect(CellWidth.prefix(of: "日本語", 5) == "日本")
    #expect(CellWidth.prefix(of: "AAPL", 4) == "AAPL")
    #expect(CellWidth.prefix(of: "AAPL", 2) == "AA")
    #expect(CellWidth.prefix(of: "e\u{301}a", 1) == "e\u{301}")
  }

  @Test func aLineIsPaddedAndCutByCells() {
    var line = StyledLine()
    line.append("日本語", in: 5, .left, .red)
    line.append("1.5", in: 6, .right)
    #expect(line.width == 11)
    let plain = Terminal()
    #expect(line.text(on: plain, cells: 80) == "日本    1.5")
    #expect(line.text(on: plain, cells: 3) == "日")
    let coloured = Terminal(hasColour: true)
    #expect(line.text(on: coloured, cells: 3) == "\u{1B}[31m日\u{1B}[0m")
  }

  @Test func barsAreAsHighAsTheValuesAllow() {
    #expect(Sparkline.text([1, 2, 3], cells: 3, hasBlocks: true) == "▁▅█")
    #expect(Sparkline.text([1, 2, 3], cells: 2, hasBlocks: true) == "▁█")
    #expect(Sparkline.text([nil, 2, 2], cells: 4, hasBlocks: true) == "  ▄▄")
    #expect(Sparkline.text([Double?](), cells: 3, hasBlocks: false) == "   ")
    #expect(Sparkline.text([0, 10], cells: 2, hasBlocks: false) == "_#")
  }

  @Test func aFrameWritesWhatDiffers() {
    var painter = ScreenPainter()
    let terminal = Terminal(width: 40, height: 4, hasCursor: true)
    let first = painter.paint([StyledLine("one"), StyledLine("two")], on: terminal)
    #expect(first.contains("\u{1B}[2J"))
    #expect(first.contains("\u{1B}[1;1Hone\u{1B}[K\u{1B}[2;1Htwo\u{1B}[K"))
    // In one synchronized update, so that nobody sees half of it.
    #expect(first.hasPrefix("\u{1B}[?2026h") && first.hasSuffix("\u{1B}[?2026l"))
    #expect(painter.paint([StyledLine("one"), StyledLine("two")], on: terminal).isEmpty)
    let second = painter.paint([StyledLine("one"), StyledLine("new")], on: terminal)
    #expect(second == "\u{1B}[?2026h\u{1B}[2;1Hnew\u{1B}[K\u{1B}[?2026l")
    // A line that is gone is erased.
    #expect(
      painter.paint([StyledLine("one")], on: terminal)
        == "\u{1B}[?2026h\u{1B}[2;1H\u{1B}[K\u{1B}[?2026l"
    )
    let resized = painter.paint([StyledLine("one")], on: Terminal(width: 60, height: 4))
    #expect(resized.contains("\u{1B}[2J") && resized.contains("one"))
  }

  @Test func keysAreRead() {
    func keys(_ text: String) -> [Key] { Key.keys(in: Array(text.utf8)) }
    #expect(keys("q") == [.character("q")])
    #expect(keys("\u{1B}[A\u{1B}[B\u{1B}OA") == [.up, .down, .up])
    #expect(
      keys("\u{1B}[5~\u{1B}[6~\u{1B}[H\u{1B}[F\u{1B}[1~\u{1B}[4~")
        == [.pageUp, .pageDown, .home, .end, .home, .end]
    )
    // A key with a modifier is still that key; what is unknown, or cut off, is nothing.
    #expect(keys("\u{1B}[1;5A") == [.up])
    #expect(keys("\u{1B}[200~x\u{1B}") == [.character("x")])
    #expect(keys("\u{1B}[") == [])
    #expect(keys("é\u{7F}\t") == [])
  }
}
