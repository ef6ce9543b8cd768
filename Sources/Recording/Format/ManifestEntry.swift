// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What the manifest says of a sealed part: enough to prove that the file is whole and unchanged.
package struct ManifestEntry: Sendable, Hashable {
  /// Where the part is, relative to the recording.
  package var path: String
  /// The run that wrote it.
  package var run: RunID
  /// Its channel.
  package var channel: Channel
  /// How many lines it has.
  package var lines: Int
  /// The lowest and the highest `seq` of its lines.
  package var seq: ClosedRange<UInt64>
  /// The earliest and the latest `ts_recv` of its lines.
  package var time: ClosedRange<Int64>
  /// How many bytes the file has.
  package var bytes: Int
  /// The SHA-256 of the file, in hexadecimal.
  package var digest: String

  /// Appends the entry's line of `_manifest.ndjson`.
  package func append(to lines: inout LineBuffer) {
    lines.append("{\"v\":1,\"path\":")
    lines.append(string: path)
    lines.append(",\"run\":")
    lines.append(string: run.description)
    lines.append(",\"ch\":")
    lines.append(string: channel.rawValue)
    lines.append(",\"lines\":")
    lines.append(Int64(self.lines))
    lines.append(",\"seq_first\":")
    lines.append(seq.lowerBound)
    lines.append(",\"seq_last\":")
    lines.append(seq.upperBound)
    lines.append(",\"ts_first\":")
    lines.append(time.lowerBound)
    lines.append(",\"ts_last\":")
    lines.append(time.upperBound)
    lines.append(",\"bytes\":")
    lines.append(Int64(bytes))
    lines.append(",\"sha256\":")
    lines.append(string: digest)
    lines.append("}\n")
  }
}
