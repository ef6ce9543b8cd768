// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Glibc

/// What `runs/<run>.json` says of a run: who recorded, with what, from when to when.
///
/// It is written when the run begins, and again when it ends; a run whose record has no end is still
/// going on, or crashed and has not been finished by the next start yet.
package struct RunRecord: Sendable {
  /// The run.
  package var run: RunID
  /// When it began, in nanoseconds since 1970.
  package var start: Int64
  /// When it began, in nanoseconds of the monotonic clock.
  package var startMonotonic: Int64 = 0
  /// When it ended, in nanoseconds since 1970; nil until then.
  package var end: Int64?
  /// How it ended; nil until then.
  package var ending: Ending?
  /// What it was made for.
  package var purpose = Purpose.record
  /// The channels that it writes.
  package var channels: Set<Channel> = []
  /// How its lines are written and where they lie.
  package var layout = LineLayout()
  /// Its last record in the log, and what it was recording; nil until the end, and for a run without
  /// a single record.
  package var last: LastRecord?
  /// The number of its first event.
  package var firstSeq: UInt64 = 1
  /// The number of the last event that was recorded; nil until the end.
  package var lastSeq: UInt64?
  /// The name and version of the program.
  package var tool: String
  /// The machine that recorded.
  package var host = Self.hostName
  /// The number of the process that recorded.
  package var process = Int64(getpid())
  /// The settings, by name, without secrets.
  package var configuration: [(name: String, value: String)] = []
  /// How far the server's clock is ahead of ours, in nanoseconds; nil while it is not known.
  package var clockOffset: Int64?

  /// What a run is made for.
  package enum Purpose: String, Sendable, Hashable {
    /// To record what happens.
    case record
    /// To fill the gaps of others: nothing of the present is recorded, and no time counts as recorded.
    case backfill
  }

  /// How a run ended.
  package enum Ending: String, Sendable, Hashable {
    /// It was ended, and everything is on disk.
    case well
    /// It stopped in the middle; the next start has finished its parts.
    case crash
  }

  /// The last thing that is known of a run.
  package struct LastRecord: Sendable, Hashable {
    /// The number of the record.
    package var seq: UInt64
    /// Its time in nanoseconds since 1970.
    package var realtime: Int64
    /// Its time in nanoseconds of the monotonic clock.
    package var monotonic: Int64
    /// The names of the instruments that were being recorded.
    package var symbols: [String] = []
    /// Their conids, in ascending order.
    package var conids: [Int] = []
  }

  /// Describes a run that begins now.
  ///
  /// - Parameters:
  ///   - start: The time now, in nanoseconds since 1970.
  ///   - tool: The name and version of the program.
  /// - Throws: `StorageError` if there are no random bytes for the run's name.
  package init(startingAt start: Int64, tool: String) throws(StorageError) {
    do {
      try self.init(run: RunID(realtime: start), start: start, tool: tool)
    } catch {
      throw StorageError("name", "a run", reason: error.description)
    }
  }

  /// Describes a run.
  package init(run: RunID, start: Int64, tool: String) {
    self.run = run
    self.start = start
    self.tool = tool
  }

  /// Where the record lies.
  package var path: String { "runs/\(run).json" }

  /// Writes the record in one step: a reader sees the old one or the new one, whole.
  ///
  /// - Parameter storage: The recording.
  /// - Throws: `StorageError`.
  package func write(to storage: any Storage) throws(StorageError) {
    let draft = "\(path).new"
    // Only a crash at this very place leaves one.
    try storage.removeIfPresent(draft)
    let file = try storage.create(draft)
    try contents().withBytes { bytes throws(StorageError) in try file.writeAll(bytes) }
    try file.synchronize()
    try storage.rename(draft, to: path)
    try storage.synchronizeNames(downTo: "runs")
  }

  private func contents() -> LineBuffer {
    var text = LineBuffer()
    text.append("{\"v\":1,\"run\":")
    text.append(string: run.description)
    text.append(",\"tool\":")
    text.append(string: tool)
    text.append(",\"host\":")
    text.append(string: host)
    text.append(",\"process\":")
    text.append(process)
    if purpose != .record {
      text.append(",\"purpose\":")
      text.append(string: purpose.rawValue)
    }
    text.append(",\"ts_start\":")
    text.append(start)
    text.append(",\"mono_start\":")
    text.append(startMonotonic)
    text.append(",\"ts_end\":")
    text.append(orNull: end)
    text.append(",\"seq_first\":")
    text.append(firstSeq)
    text.append(",\"seq_last\":")
    if let lastSeq { text.append(lastSeq) } else { text.append("null") }
    text.append(",\"ended\":")
    text.append(stringOrNull: ending?.rawValue)
    text.append(",\"channels\":")
    text.append(strings: channels.map(\.rawValue).sorted())
    text.append(",\"partition\":")
    text.append(string: layout.partition.rawValue)
    text.append(",\"time\":")
    text.append(string: layout.time.rawValue)
    text.append(",\"last\":")
    Self.append(last, to: &text)
    text.append(",\"clock_offset\":")
    text.append(orNull: clockOffset)
    text.append(",\"configuration\":{")
    for (index, setting) in configuration.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      text.append(string: setting.name)
      text.append(UInt8(ascii: ":"))
      text.append(string: setting.value)
    }
    text.append("}}\n")
    return text
  }

  private static func append(_ last: LastRecord?, to text: inout LineBuffer) {
    guard let last else { return text.append("null") }
    text.append("{\"seq\":")
    text.append(last.seq)
    text.append(",\"ts\":")
    text.append(last.realtime)
    text.append(",\"mono\":")
    text.append(last.monotonic)
    text.append(",\"symbols\":")
    text.append(strings: last.symbols)
    text.append(",\"conids\":")
    text.append(integers: last.conids)
    text.append("}")
  }

  private static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "" }
    return name.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
