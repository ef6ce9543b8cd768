// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A part of a recording that is there to be read, open or sealed.
package struct RecordedPart: Sendable, Hashable {
  /// Whose it is, and where.
  let name: PartName
  /// Its channel.
  package let channel: Channel

  init?(_ name: PartName) {
    guard let channel = name.channel else { return nil }
    self.name = name
    self.channel = channel
  }

  /// The run that wrote it.
  package var run: RunID { name.run }

  /// Whether it is sealed and compressed.
  package var isCompressed: Bool { name.state == .compressed }

  /// Where it is, relative to the recording.
  package var path: String { name.codec.map { name.compressedPath($0) } ?? name.plainPath }

  /// The day of its records, as `2026-11-23`; empty if its folder names none.
  package var date: Substring { name.date ?? "" }

  /// The folder of its instrument, percent-encoded; nil where the channel has none.
  package var symbolFolder: Substring? { name.symbol }

  /// Its place among the parts of a channel: by run, day, instrument and number.
  private var place: (String, Substring, Substring, Int) {
    (run.description, date, name.symbol ?? "", name.number)
  }

  /// Whether it comes before another part of the same channel.
  static func areInOrder(_ first: RecordedPart, _ second: RecordedPart) -> Bool {
    first.place < second.place
  }
}
