// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import JSON
import Transport

/// Prints quotes for a person: a line for each, in columns.
actor QuoteTable: EventSink {
  nonisolated let overflow = OverflowPolicy.latestPerInstrument

  private nonisolated let loop: EventLoop
  private var symbols: [Int: String] = [:]
  private var states: [Int: QuoteState] = [:]
  private var linesUntilHead = 0

  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// Creates a table on a thread of its own, so that a slow terminal delays nobody.
  ///
  /// - Throws: `TransportError` if the system gives no thread.
  init() throws {
    loop = try EventLoop(name: "table")
  }

  deinit { loop.stop() }

  /// Learns what the instruments are called.
  func learn(_ instruments: [Instrument]) {
    for instrument in instruments { symbols[instrument.conid] = instrument.symbol }
  }

  func write(_ batch: EventBatch) async {
    var lines = ""
    batch.forEachRecord { record, message, fields in
      if record.sort == .dropped {
        // What was lost may have changed anything.
        for conid in states.keys { states[conid]?.clear() }
        if case .dropped(let count, _) = batch.detail(of: record) {
          lines += "\(count) quotes came too fast to be shown here\n"
        }
        return
      }
      if record.sort == .own {
        if case .gap(let gap) = batch.detail(of: record), gap.phase == .began {
          for conid in gap.conids { states[conid]?.clear() }
        }
        return
      }
      guard record.topic == .marketData, record.direction == .inbound, record.conid != 0 else {
        return
      }
      let update = message.withUnsafeBytes { bytes in
        states[record.conid, default: QuoteState()].apply(record, fields, of: bytes)
      }
      guard let update, update.carriesFields else { return }
      if linesUntilHead == 0 {
        lines += Self.line([
          "time (UTC)", "symbol", "bid size", "bid", "ask", "ask size", "last", "",
        ])
        linesUntilHead = 40
      }
      linesUntilHead -= 1
      lines += line(record, update.flags)
    }
    if !lines.isEmpty { Output.write(lines, to: 1) }
  }

  private func line(_ record: EventRecord, _ flags: QuoteState.Flags) -> String {
    let state = states[record.conid] ?? QuoteState()
    func text(_ column: QuoteState.Column) -> String { state[column].map(\.description) ?? "-" }
    return Self.line([
      Self.time(record.realtime), symbols[record.conid] ?? String(record.conid), text(.bidSize),
      text(.bid), text(.ask), text(.askSize), text(.last), Self.words(flags),
    ])
  }

  private static func words(_ flags: QuoteState.Flags) -> String {
    var words: [String] = []
    if flags.contains(.delayed) { words.append("delayed") }
    if flags.contains(.frozen) { words.append("frozen") }
    if flags.contains(.lastIsClose) { words.append("close") }
    if flags.contains(.lastIsHalted) { words.append("halted") }
    if flags.contains(.notSubscribed) { words.append("not subscribed") }
    return words.joined(separator: " ")
  }

  private static func line(_ cells: [String]) -> String {
    let widths = [12, 12, 10, 12, 12, 10, 12, 0]
    var line = ""
    for (index, (cell, width)) in zip(cells, widths).enumerated() {
      let padding = String(repeating: " ", count: max(0, width - cell.count))
      // Names to the left, numbers to the right.
      line += index < 2 || index == 7 ? cell + padding : padding + cell
      line += index < 7 ? "  " : ""
    }
    while line.last == " " { line.removeLast() }
    return line + "\n"
  }

  private static func time(_ realtime: Int64) -> String {
    let milliseconds = realtime / 1_000_000 % 86_400_000
    func padded(_ number: Int64, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let seconds = milliseconds / 1_000
    return padded(seconds / 3_600, 2) + ":" + padded(seconds / 60 % 60, 2) + ":"
      + padded(seconds % 60, 2) + "." + padded(milliseconds % 1_000, 3)
  }
}
