// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How much a recording has taken of the disk, by what its manifest says of sealed parts.
package struct RecordingPace: Sendable, Hashable {
  /// The bytes of the sealed parts, as they are on the disk.
  package private(set) var bytes = 0
  /// How long instruments were recorded, added up, in nanoseconds.
  package private(set) var instrumentTime: Int64 = 0

  /// Less than this says nothing of a day.
  private static let least: Int64 = 600_000_000_000

  /// Reads a recording; nil where there is none, or too little to tell.
  ///
  /// - Parameter directory: The recording's directory.
  package init?(directory: String) {
    guard let storage = try? POSIXStorage(existing: directory),
      let manifest = try? Manifest(of: storage)
    else { return nil }
    for entry in manifest.entries.values {
      bytes += entry.bytes
      // Only quotes are kept apart by instrument.
      guard entry.channel == .quote, entry.path.contains("/symbol=") else { continue }
      instrumentTime += entry.time.upperBound - entry.time.lowerBound
    }
    guard instrumentTime >= Self.least else { return nil }
  }

  /// The bytes of one instrument in an hour, everything that was recorded with it included.
  package var bytesPerHour: Double { Double(bytes) / (Double(instrumentTime) / 3.6e12) }
}
