// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// The time between two runs, as a gap: nobody was recording.
///
/// It is the first thing that a run records, under the number 0, because it happened before the first
/// event of the run. It begins with the last record that the run before has on disk.
struct DownTime: Hashable {
  /// The run before.
  var previous: RunID
  /// How that run ended.
  var ending: RunRecord.Ending
  /// The last record of the run before.
  var last: RunRecord.LastRecord
  /// When this run began.
  var end: Gap.Moment

  /// The stamp of the gap.
  var stamp: Stamp { Stamp(seq: 0, realtime: end.realtime, monotonic: end.monotonic) }

  private var detectedBy: String {
    switch ending {
    case .well: "the end of the run before"
    case .crash: "the crash of the run before"
    }
  }

  /// Appends the gap as a JSON object: what `ch=raw` keeps, and all there is to know.
  func appendJSON(run: RunID, to text: inout LineBuffer) {
    text.append("{\"id\":0,\"phase\":\"ended\",")
    appendMembers(to: &text, .nanoseconds)
    text.append("}")
  }

  /// Appends the line of `ch=gap`.
  func appendLine(run: RunID, _ start: LineStart, to lines: inout LineBuffer) {
    start.append(seq: 0, realtime: end.realtime, event: nil, to: &lines)
    lines.append(",\"gap_id\":")
    lines.append(string: "\(run)-0")
    lines.append(UInt8(ascii: ","))
    appendMembers(to: &lines, start.time)
    lines.append(",\"backfill\":\"none\"}\n")
  }

  private func appendMembers(to text: inout LineBuffer, _ time: TimeFormat) {
    text.append("\"ts_start\":")
    text.append(time: last.realtime, time)
    text.append(",\"ts_end\":")
    text.append(time: end.realtime, time)
    text.append(",\"mono_start\":")
    text.append(last.monotonic)
    text.append(",\"mono_end\":")
    text.append(end.monotonic)
    text.append(",\"reason\":\"process_down\",\"symbols\":")
    text.append(strings: last.symbols)
    text.append(",\"conids\":")
    text.append(integers: last.conids)
    text.append(",\"detected_by\":")
    text.append(string: detectedBy)
    text.append(",\"count\":null,\"seq_first\":")
    text.append(last.seq)
    text.append(",\"seq_last\":1,\"run_prev\":")
    text.append(string: previous.description)
  }
}

extension DownTime {
  /// Reads what `ch=raw` keeps of a gap; nothing comes of any other gap.
  init?(_ value: JSONValue) {
    guard value["reason"]?.string == GapReason.processDown.rawValue,
      let previous = value["run_prev"]?.string.flatMap({ RunID($0) }),
      let seq = value["seq_first"]?.int.flatMap(UInt64.init(exactly:)),
      let start = value["ts_start"]?.int, let monoStart = value["mono_start"]?.int,
      let end = value["ts_end"]?.int, let monoEnd = value["mono_end"]?.int
    else { return nil }
    self.previous = previous
    ending = value["detected_by"]?.string?.contains("crash") == true ? .crash : .well
    last = RunRecord.LastRecord(
      seq: seq,
      realtime: Int64(start),
      monotonic: Int64(monoStart),
      symbols: value["symbols"]?.elements?.compactMap(\.string) ?? [],
      conids: value["conids"]?.elements?.compactMap(\.int) ?? []
    )
    self.end = Gap.Moment(realtime: Int64(end), monotonic: Int64(monoEnd))
  }
}
