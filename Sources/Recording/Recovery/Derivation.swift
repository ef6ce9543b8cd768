// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// Makes the lines of the typed channels from those of the log: they are a function of it and of the
/// instruments that the run has looked up.
final class Derivation {
  private let run: RunID
  private let encoder: EventEncoder
  private var replayer = EventReplayer()

  /// The time before the run in which nobody was recording, once its line has been seen.
  private(set) var down: DownTime?

  /// Begins before the first line of a run, or at least twenty minutes before the first line that
  /// counts: by then every subscription has been renewed, and its quote begun anew.
  ///
  /// - Parameters:
  ///   - record: What is known of the run.
  ///   - instruments: What the run has looked up.
  init(_ record: RunRecord, instruments: [Instrument]) {
    run = record.run
    let channels = record.channels.isEmpty ? Channel.standard : record.channels
    encoder = EventEncoder(
      run: run,
      // The log itself is never made.
      channels: channels.subtracting([.raw]),
      keepsAccounts: true,
      layout: record.layout
    )
    for instrument in instruments { encoder.learn(instrument) }
  }

  private var lastStamp: Stamp?

  /// The last record and what was being recorded.
  var lastRecord: RunRecord.LastRecord? {
    guard let lastStamp else { return nil }
    var last = encoder.lastRecord(after: down) ?? .init(seq: 0, realtime: 0, monotonic: 0)
    (last.seq, last.realtime) = (lastStamp.seq, lastStamp.realtime)
    last.monotonic = lastStamp.monotonic
    return last
  }

  /// Notes an execution that the run has recorded before the first line that is given.
  func recall(execution id: String, from seq: UInt64) {
    encoder.recall(execution: id, from: seq)
  }

  /// Takes a line of the log; its lines may come with those of the next.
  func append(_ line: UnsafeRawBufferPointer, to sheets: some LineSheets) {
    guard let line = RawLine(line, of: run) else { return }
    lastStamp = line.stamp
    switch line.content {
    case .message(let direction, let kind, let bytes):
      bytes.withUnsafeBytes {
        replayer.append($0, direction: direction, kind: kind, stamp: line.stamp)
      }
    case .bars(let backfill, let bytes):
      bytes.withUnsafeBytes { replayer.append(answer: $0, to: backfill, stamp: line.stamp) }
    case .own(let name, let bytes):
      append(name, bytes, line.stamp, to: sheets)
    }
    if replayer.count >= 256 { finish(to: sheets) }
  }

  /// Makes the lines of everything that was taken.
  func finish(to sheets: some LineSheets) {
    if let batch = replayer.take() { _ = encoder.append(batch, to: sheets) }
  }

  private func append(
    _ name: String,
    _ bytes: [UInt8],
    _ stamp: Stamp,
    to sheets: some LineSheets
  ) {
    guard let value = try? JSONValue(parsing: bytes) else { return }
    if let found = DownTime(value) {
      down = found
      finish(to: sheets)
      _ = encoder.append(found, to: sheets)
    } else if let event = OwnEvent(name, value) {
      replayer.append(event, stamp: stamp)
    }
  }
}

extension Instrument {
  /// Where a recording keeps what was looked up.
  static let path = "instruments.ndjson"

  /// The instruments that a run has looked up.
  ///
  /// - Parameters:
  ///   - run: The run.
  ///   - storage: The recording.
  /// - Returns: Their conids and symbols.
  /// - Throws: `StorageError`.
  static func learned(
    in run: RunID,
    from storage: any Storage
  ) throws(StorageError) -> [Instrument] {
    var found: [Instrument] = []
    do {
      _ = try PartReader(Self.path, storage: storage).forEachLine { line in
        guard line.isComplete, let known = Self.line(line.bytes), known.run == run else { return }
        found.append(known.instrument)
      }
    } catch  where error.code == .missing {
      // Nothing was looked up.
    }
    return found
  }

  /// Reads a line of `instruments.ndjson`.
  ///
  /// - Parameter line: The line.
  /// - Returns: The run that has looked the instrument up, and what is known of it; nil for a line without
  ///   conid and symbol.
  static func line(_ line: UnsafeRawBufferPointer) -> (run: RunID, instrument: Instrument)? {
    guard let value = try? JSONValue(parsing: line),
      let run = value["run"]?.string.flatMap({ RunID($0) }), let conid = value["conid"]?.int,
      let symbol = value["symbol"]?.string
    else { return nil }
    let instrument = Instrument(
      conid: conid,
      symbol: symbol,
      exchange: value["exchange"]?.string,
      securityType: value["sec_type"]?.string,
      currency: value["currency"]?.string,
      multiplier: value["multiplier"]?.decimal,
      tickSize: value["tick_size"]?.decimal
    )
    return (run, instrument)
  }
}
