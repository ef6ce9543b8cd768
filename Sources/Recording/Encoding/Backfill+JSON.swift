// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

extension Backfill.GapName {
  /// The name of a gap as `ch=gap` has it.
  ///
  /// - Parameter run: The run that fills it.
  /// - Returns: The run that noticed the gap, and its number there.
  func text(in run: RunID) -> String {
    switch self {
    case .own(let number): "\(run)-\(number)"
    case .named(let name): name
    }
  }
}

// What an answer fills stands in the column `topic` of its line, so that the log alone says it:
// `smh+265598@ARCA+<gap>+<from>+<to>`, and `+midpoint` if it is not made of trades.
extension Backfill {
  /// Writes it.
  ///
  /// - Parameter run: The run that fills the gap.
  /// - Returns: The text of the column.
  func topic(in run: RunID) -> String {
    var text = "smh+\(target)+\(gap.text(in: run))+\(range.lowerBound)+\(range.upperBound)"
    if let source { text += "+\(source.rawValue)" }
    return text
  }

  /// Reads what ``topic(in:)`` has written; nothing comes of any other text.
  init?(topic: String) {
    let parts = topic.split(separator: "+", omittingEmptySubsequences: false)
    guard parts.count == 5 || parts.count == 6, parts[0] == "smh", !parts[2].isEmpty,
      let target = Self.target(parts[1]), let from = Int64(parts[3]), let to = Int64(parts[4]),
      from < to
    else { return nil }
    var source: BarSource?
    if parts.count == 6 {
      guard let named = BarSource(rawValue: String(parts[5])) else { return nil }
      source = named
    }
    self.init(
      gap: .named(String(parts[2])),
      conid: target.conid,
      exchange: target.exchange,
      range: from..<to,
      source: source
    )
  }

  /// The parts of a target.
  static func target(_ text: Substring) -> (conid: Int, exchange: String?)? {
    let sides = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard let conid = Int(sides[0]), conid > 0 else { return nil }
    return (conid, sides.count > 1 ? String(sides[1]) : nil)
  }
}

extension BackfillProgress {
  /// Appends what `ch=raw` keeps of it.
  func appendJSON(of run: RunID, to text: inout LineBuffer) {
    text.append("{\"gap_id\":")
    text.append(string: backfill.gap.text(in: run))
    text.append(",\"target\":")
    text.append(string: backfill.target)
    text.append(",\"conid\":")
    text.append(Int64(backfill.conid))
    text.append(",\"state\":")
    text.append(string: state.rawValue)
    text.append(",\"reason\":")
    text.append(string: reason)
    text.append(",\"bars\":")
    text.append(Int64(bars))
    text.append(",\"ts_start\":")
    text.append(backfill.range.lowerBound)
    text.append(",\"ts_end\":")
    text.append(backfill.range.upperBound)
    text.append(",\"rest_start\":")
    text.append(orNull: rest?.lowerBound)
    text.append(",\"rest_end\":")
    text.append(orNull: rest?.upperBound)
    text.append("}")
  }

  /// Reads what ``appendJSON(of:to:)`` has written.
  init?(_ value: JSONValue) {
    guard let gap = value["gap_id"]?.string,
      let target = value["target"]?.string.flatMap({ Backfill.target($0[...]) }),
      let state = value["state"]?.string.flatMap(State.init(rawValue:)),
      let range = Self.range(value["ts_start"], value["ts_end"])
    else { return nil }
    self.init(
      Backfill(
        gap: .named(gap),
        conid: target.conid,
        exchange: target.exchange,
        range: range
      ),
      state,
      reason: value["reason"]?.string ?? "",
      bars: value["bars"]?.int ?? 0,
      rest: Self.range(value["rest_start"], value["rest_end"])
    )
  }

  static func range(_ from: JSONValue?, _ to: JSONValue?) -> Range<Int64>? {
    guard let from = from?.int, let to = to?.int, from < to else { return nil }
    return Int64(from)..<Int64(to)
  }
}
