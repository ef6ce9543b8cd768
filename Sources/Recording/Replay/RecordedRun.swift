// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// The run of a recording that replayed events come from.
///
/// Every batch carries it, so that whoever records the events again gives them the names, the numbers
/// and the run that they had.
final class RecordedRun: EventOrigin {
  /// What is known of the run.
  let record: RunRecord
  /// What it had looked up.
  let instruments: [Instrument]
  /// The lines that say so.
  let instrumentLines: [UInt8]
  /// The time before the run in which nobody was recording, if it is replayed from its beginning.
  let down: DownTime?
  /// Reads what came before the excerpt that is replayed; nil if that is the run from its beginning.
  private let leadIn: LeadIn?

  /// How to read what came before.
  struct LeadIn: Sendable {
    /// The recording.
    var reader: RecordingReader
    /// When the excerpt begins, in nanoseconds since 1970.
    var end: Int64
    /// Gives each subscription the key that it has in the events.
    var keys: EventReplayer.Keys?
  }

  init(
    _ record: RunRecord,
    instruments: [Instrument],
    instrumentLines: [UInt8],
    down: DownTime?,
    leadIn: LeadIn?
  ) {
    self.leadIn = leadIn
    self.record = record
    self.instruments = instruments
    self.instrumentLines = instrumentLines
    self.down = down
  }

  /// Tells an encoder what came before the excerpt, so that its quotes are those of the whole.
  ///
  /// - Parameter encoder: The encoder; what it makes of it is forgotten.
  /// - Throws: `StorageError`, `.damaged` for what cannot be read.
  func prepare(_ encoder: EventEncoder) throws(StorageError) {
    guard let leadIn else { return }
    let log = try LogReader(
      leadIn.reader,
      Excerpt(from: leadIn.end, to: leadIn.end),
      only: record.run,
      keys: leadIn.keys
    )
    let forgotten = ForgottenSheets()
    while let piece = try log.next() {
      guard case .leadIn(let batch) = piece else { continue }
      _ = encoder.append(batch, to: forgotten)
      forgotten.sheet.removeLines()
    }
  }

  private final class ForgottenSheets: LineSheets {
    let sheet = LineSheet()

    func sheet(_ channel: Channel, symbol: String?, at realtime: Int64) -> LineSheet { sheet }
  }
}
