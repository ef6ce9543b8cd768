// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What kind of files an export writes.
public enum ExportFormat: String, Sendable, Hashable, CaseIterable {
  /// Apache Parquet, compressed as gzip: the types of `load.py`, lists as LIST, times as TIMESTAMP in
  /// nanoseconds.
  case parquet
  /// Comma-separated values as RFC 4180 describes them.
  case csv
  /// One SQLite database with a table for each channel; with the package trait `SQLite` only.
  case sqlite
}

extension ExportFormat {
  /// Why this build cannot write it, and what to do; nil if it can.
  public var unavailability: String? {
    #if SQLite
      return nil
    #else
      guard self == .sqlite else { return nil }
      return "this program was built without SQLite: build it with `swift build -c release "
        + "--product ibkr --traits SQLite`, which needs Debian's libsqlite3-dev; or export --to "
        + "csv or parquet"
    #endif
  }
}

/// What one file of an export has.
public enum ExportLayout: String, Sendable, Hashable, CaseIterable {
  /// A day of a channel, in folders as the recording's: `ch=quote/date=2026-11-23/quote.parquet`.
  case day = "date"
  /// All of a channel: `quote.parquet`.
  case channel
}

/// What an export has written.
public struct ExportReport: Sendable, Hashable {
  /// A place of the recording that could not be read.
  public struct Damage: Sendable, Hashable {
    /// The part.
    public let path: String
    /// The line, from 1; nil where it is no matter of one.
    public let line: Int?
    /// What is wrong there.
    public let reason: String

    init(path: String, line: Int? = nil, reason: String) {
      self.path = path
      self.line = line
      self.reason = reason
    }
  }

  /// What was read and written of a channel.
  public struct Figures: Sendable, Hashable {
    /// The channel.
    public let channel: Channel
    /// How many rows were read, and wanted.
    public internal(set) var rowsRead = 0
    /// How many rows are on the disk, counted there.
    public internal(set) var rowsWritten = 0
    /// How many files they are in.
    public internal(set) var files = 0
    /// How many bytes those have.
    public internal(set) var bytes = 0
    /// How many places could not be read.
    public internal(set) var damageCount = 0
    /// How many last lines had no end yet.
    public internal(set) var unfinishedLines = 0
    /// How many numbers had more digits than a DOUBLE holds, and were rounded.
    public internal(set) var roundedNumbers = 0
    /// The first damaged places.
    public internal(set) var damages: [Damage] = []

    init(channel: Channel) {
      self.channel = channel
    }

    /// Whoever reads the report wants to know where to look, and not ten million lines.
    private static let most = 20

    mutating func add(_ damage: Damage) {
      damageCount += 1
      if damages.count < Self.most { damages.append(damage) }
    }

    fileprivate mutating func merge(_ other: Figures) {
      rowsRead += other.rowsRead
      rowsWritten += other.rowsWritten
      files += other.files
      bytes += other.bytes
      damageCount += other.damageCount
      unfinishedLines += other.unfinishedLines
      roundedNumbers += other.roundedNumbers
      damages += other.damages.prefix(Self.most - damages.count)
    }
  }

  /// The channels, in the order in which they were written.
  public private(set) var channels: [Figures] = []

  /// How many places of the recording could not be read.
  public var damageCount: Int { channels.reduce(0) { $0 + $1.damageCount } }

  /// The damaged places, the first of each channel.
  public var damages: [Damage] { channels.flatMap(\.damages) }

  mutating func add(_ figures: Figures) {
    if channels.last?.channel == figures.channel {
      channels[channels.count - 1].merge(figures)
    } else {
      channels.append(figures)
    }
  }
}

extension ExportReport.Figures {
  /// The figures as a line of JSON.
  public var json: String {
    var text = LineBuffer()
    text.append("{\"channel\":")
    text.append(string: channel.rawValue)
    for (name, number) in [
      ("files", files), ("rows_read", rowsRead), ("rows_written", rowsWritten), ("bytes", bytes),
      ("damaged", damageCount), ("unfinished_lines", unfinishedLines),
      ("rounded_numbers", roundedNumbers),
    ] {
      text.append(contentsOf: Array(",\"\(name)\":".utf8))
      text.append(Int64(number))
    }
    text.append("}\n")
    return text.withBytes { String(decoding: $0, as: UTF8.self) }
  }
}

extension ExportReport.Damage: CustomStringConvertible {
  /// Where it is and what it is, in a line.
  public var description: String {
    line.map { "\(path): line \($0): \(reason)" } ?? "\(path): \(reason)"
  }
}

/// Why an export is not to be trusted, or cannot be made.
public struct ExportError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What happened, and what to do.
  public let description: String

  init(channel: Channel, read: Int, written: Int) {
    description =
      "\(read) rows of \(channel.rawValue) were read and \(written) are on the disk; the file was "
      + "not kept"
  }
}
