// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

extension RunRecord {
  /// The runs that a recording has records of, in the order in which they were made.
  ///
  /// - Parameter storage: The recording.
  /// - Returns: The names.
  /// - Throws: `StorageError`.
  static func runs(in storage: any Storage) throws(StorageError) -> [RunID] {
    try storage.list("runs").compactMap { name in
      name.hasSuffix(".json") ? RunID(name.dropLast(5)) : nil
    }
  }

  /// Reads a run's record.
  ///
  /// - Parameters:
  ///   - run: The run.
  ///   - storage: The recording.
  /// - Returns: The record; nil if what is there is none.
  /// - Throws: `StorageError`.
  static func read(
    _ run: RunID,
    from storage: any Storage
  ) throws(StorageError) -> RunRecord? {
    let bytes = try storage.open("runs/\(run).json").readAll(limit: 4 << 20)
    guard let value = try? JSONValue(parsing: bytes), value["v"]?.int == 1,
      value["run"]?.string == run.description, let start = value["ts_start"]?.int,
      let tool = value["tool"]?.string
    else { return nil }
    var record = RunRecord(run: run, start: Int64(start), tool: tool)
    record.host = value["host"]?.string ?? ""
    record.process = Int64(value["process"]?.int ?? 0)
    record.startMonotonic = Int64(value["mono_start"]?.int ?? 0)
    record.end = value["ts_end"]?.int.map(Int64.init)
    record.ending = value["ended"]?.string.flatMap(Ending.init(rawValue:))
    record.purpose = value["purpose"]?.string.flatMap(Purpose.init(rawValue:)) ?? .record
    record.firstSeq = value["seq_first"]?.int.flatMap(UInt64.init(exactly:)) ?? 1
    record.lastSeq = value["seq_last"]?.int.flatMap(UInt64.init(exactly:))
    record.channels = Set(
      value["channels"]?.elements?.compactMap { $0.string.flatMap(Channel.init(rawValue:)) } ?? []
    )
    record.layout = LineLayout(
      partition: value["partition"]?.string.flatMap(Partition.init(rawValue:)) ?? .dateAndSymbol,
      time: value["time"]?.string.flatMap(TimeFormat.init(rawValue:)) ?? .nanoseconds
    )
    record.clockOffset = value["clock_offset"]?.int.map(Int64.init)
    record.configuration =
      value["configuration"]?.members?.map { ($0.key, $0.value.string ?? "") } ?? []
    record.last = value["last"].flatMap(LastRecord.init)
    return record
  }
}

extension RunRecord.LastRecord {
  fileprivate init?(_ value: JSONValue) {
    guard let seq = value["seq"]?.int.flatMap(UInt64.init(exactly:)), let time = value["ts"]?.int,
      let monotonic = value["mono"]?.int
    else { return nil }
    self.seq = seq
    realtime = Int64(time)
    self.monotonic = Int64(monotonic)
    symbols = value["symbols"]?.elements?.compactMap(\.string) ?? []
    conids = value["conids"]?.elements?.compactMap(\.int) ?? []
  }
}
