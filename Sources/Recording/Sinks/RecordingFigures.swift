// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How a recorder is getting on: what it has written in its run, and what is in its way.
public struct RecordingFigures: Sendable, Hashable {
  /// What has been written of one channel.
  public struct Written: Sendable, Hashable {
    /// How many lines.
    public internal(set) var lines: UInt64 = 0
    /// How many bytes, before compression.
    public internal(set) var bytes: UInt64 = 0
  }

  /// What has been written, by channel; channels without a line are missing.
  public internal(set) var written: [Channel: Written] = [:]

  /// How many bytes of lines wait to be written.
  public internal(set) var waitingBytes = 0

  /// How many parts are being written.
  public internal(set) var openParts = 0

  /// How many parts have been sealed in this run.
  public internal(set) var sealedParts = 0

  /// How many bytes may still be written to the disk; nil until it has been asked.
  public internal(set) var freeBytes: Int?

  /// Why nothing can be written now; nil while all is well.
  public internal(set) var failure: StorageError?

  /// What has been written of all channels.
  public var total: Written {
    written.values.reduce(into: Written()) { sum, channel in
      sum.lines += channel.lines
      sum.bytes += channel.bytes
    }
  }

  /// Figures of a recorder that has done nothing yet.
  package init() {}
}

/// Counts what reaches the files of a run.
final class WriteTally {
  private(set) var written: [Channel: RecordingFigures.Written] = [:]

  /// Counts lines that are in their file now.
  func add(_ channel: Channel, lines: Int, bytes: Int) {
    written[channel, default: .init()].lines += UInt64(lines)
    written[channel, default: .init()].bytes += UInt64(bytes)
  }
}
