// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON
import Testing

@testable import Recording

/// The memory of executions forgets the oldest, so what is told again late is new: after a crash the
/// same is new, and the same known, as live.
@Suite struct ExecutionRecallTests {
  private static let count: UInt64 = 40

  private func memory() -> RowChannels {
    RowChannels(
      [.trade],
      LineStart(run: RunID(milliseconds: 1, random: 1), time: .nanoseconds),
      executions: ExecutionMemory(capacity: 3)
    )
  }

  /// The lines that the messages with some numbers make.
  private func lines(
    _ messages: [String],
    _ numbers: ClosedRange<UInt64>,
    by channels: RowChannels
  ) -> [String] {
    let sheets = MemorySheets()
    for seq in numbers {
      var record = EventRecord.own(
        Stamp(seq: seq, realtime: Int64(seq), monotonic: Int64(seq))
      )
      record.sort = .message
      record.topic = .trades
      record.flags = .utf8
      Array(messages[Int(seq) - 1].utf8).withUnsafeBytes {
        _ = channels.append($0, record, .trade, symbol: nil, to: sheets)
      }
    }
    return sheets.lines.flatMap(\.value)
  }

  @Test(arguments: 0..<20)
  func theSameIsKnownAfterACrashAsLive(_ seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let messages = (0..<Self.count).map { _ in
      let trades = (0..<Int.random(in: 1..<4, using: &random)).map { _ in
        let id = Int.random(in: 0..<7, using: &random)
        return id == 0 ? #"{"price":"1"}"# : #"{"execution_id":"x\#(id)","price":"1"}"#
      }
      return #"{"topic":"str","args":["# + trades.joined(separator: ",") + "]}"
    }
    let live = lines(messages, 1...Self.count, by: memory())
    #expect(live.contains { $0.contains(#""duplicate":true"#) })

    // Everything up to a number is sealed; what is made again begins before it.
    let complete = UInt64.random(in: 2..<Self.count, using: &random)
    let first = UInt64.random(in: 1...complete, using: &random)
    let later = memory()
    for line in live {
      let row = try JSONValue(parsing: Array(line.utf8))
      guard let seq = row["seq"]?.int.map(UInt64.init), seq <= complete else { continue }
      if let id = row["execution_id"]?.string { later.recall(execution: id, from: seq) }
    }
    func isLater(_ line: String) throws -> Bool {
      try JSONValue(parsing: Array(line.utf8))["seq"]?.int.map(UInt64.init) ?? 0 > complete
    }
    let again = lines(messages, first...Self.count, by: later)
    #expect(try again.filter(isLater) == live.filter(isLater))
  }
}
