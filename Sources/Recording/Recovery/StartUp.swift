// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// What is done to a directory before a run begins in it, whatever the runs before have left.
struct StartUp {
  private let storage: any Storage
  private let manifest: LedgerFile
  private let codec: PartCodec?

  /// Prepares.
  ///
  /// - Parameters:
  ///   - storage: The recording; it must be locked.
  ///   - manifest: Its manifest.
  ///   - codec: How sealed parts are compressed; nil if they are not.
  init(storage: any Storage, manifest: LedgerFile, codec: PartCodec?) {
    self.storage = storage
    self.manifest = manifest
    self.codec = codec
  }

  /// Finishes what crashed runs have left.
  ///
  /// - Returns: The latest run that has recorded anything, nil if there is none.
  /// - Throws: `StorageError`.
  func finishRuns() throws(StorageError) -> RunRecord? {
    try manifest.mend()
    try LedgerFile("instruments.ndjson", storage: storage).mend()
    let known = try Manifest(of: storage)
    if let removal = known.lastRemoval { try storage.removeIfPresent(removal.path) }
    var latest: RunRecord?
    for run in try RunRecord.runs(in: storage) {
      var record = try RunRecord.read(run, from: storage)
      if record == nil {
        // Half of a record cannot come from us, who rename whole ones; it is kept for whoever asks.
        try storage.rename("runs/\(run).json", to: "runs/\(run).json.torn")
        record = RunRecord(run: run, start: run.milliseconds * 1_000_000, tool: "")
      }
      guard var record else { continue }
      if record.isUnfinished {
        record = try DeadRun(
          record,
          storage: storage,
          manifest: known,
          ledger: manifest,
          codec: codec
        ).finish()
      }
      if record.last != nil, record.purpose == .record { latest = record }
    }
    return latest
  }
}

extension RunRecord {
  /// Whether nobody has brought the run to its end.
  var isUnfinished: Bool { end == nil }
}

extension DownTime {
  /// The time from the end of one run to the beginning of another.
  ///
  /// - Parameters:
  ///   - previous: The run before, if there was one that has recorded anything.
  ///   - run: The run that begins.
  init?(after previous: RunRecord?, before run: RunRecord) {
    guard let previous, let last = previous.last else { return nil }
    self.init(
      previous: previous.run,
      ending: previous.ending ?? .well,
      last: last,
      end: Gap.Moment(realtime: run.start, monotonic: run.startMonotonic)
    )
  }
}
