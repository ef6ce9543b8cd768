// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import JSON

/// Writes what was recorded into files that other programs read: Parquet, CSV or SQLite.
///
/// It reads open parts and sealed ones, a line at a time, so memory does not depend on how much there
/// is. A file gets its name when it is whole, synced, and has as many rows as were read: they are
/// counted anew from what is on the disk. A line that is no row of its channel is left out, counted
/// and named; all others are there.
///
/// The rows of a file lie in the order of run, instrument and `seq`, as the parts do.
///
/// ```swift
/// let reader = try RecordingReader(directory: "data")
/// let report = try RecordingExport(of: reader).run(into: "data-parquet")
/// ```
public struct RecordingExport: Sendable {
  /// What is written, and how.
  public struct Configuration: Sendable, Hashable {
    /// What kind of files.
    public var format = ExportFormat.parquet

    /// The channels; nil for all that there are.
    public var channels: Set<Channel>?

    /// What of the recording is wanted.
    public var excerpt = Excerpt.everything

    /// What one file has.
    public var layout = ExportLayout.day

    /// Whether decimal numbers keep all their digits.
    ///
    /// Then they are DECIMAL(38, 12) in Parquet, and text in SQLite; otherwise they are DOUBLE and
    /// REAL. CSV has the digits of the line in any case.
    public var isExact = false

    /// Whether files that are there already are replaced.
    public var replaces = false

    /// Creates a configuration with the defaults.
    public init() {}
  }

  private let reader: RecordingReader
  private let configuration: Configuration

  /// Names what is to be exported; nothing is read yet.
  ///
  /// - Parameters:
  ///   - reader: The recording.
  ///   - configuration: What of it is written, and how.
  public init(of reader: RecordingReader, configuration: Configuration = Configuration()) {
    self.reader = reader
    self.configuration = configuration
  }

  /// Writes files below a directory, or one SQLite database.
  ///
  /// - Parameter path: The directory, which is created if necessary; for SQLite the database.
  /// - Returns: What was written.
  /// - Throws: ``StorageError``, `.exists` if something would be replaced that is not to be;
  ///   ``ExportError`` if there are other rows on the disk than were read. Files that were finished
  ///   before stay.
  public func run(into path: String) throws -> ExportReport {
    guard configuration.format == .sqlite else {
      return try run(into: POSIXStorage(directory: path), shownAs: path)
    }
    #if SQLite
      let database = try SQLiteExport(
        path,
        isExact: configuration.isExact,
        replaces: configuration.replaces
      )
      defer { database.discard() }
      let report = try run(try groups()) { group throws(StorageError) in
        try database.table(group.channel)
      }
      try database.publish(report.channels)
      return report
    #else
      throw StorageError("write", path, reason: configuration.format.unavailability ?? "")
    #endif
  }

  /// Writes files into a directory of the caller's.
  func run(into storage: any Storage, shownAs path: String) throws -> ExportReport {
    let groups = try groups()
    if !configuration.replaces {
      for group in groups {
        guard try Self.exists(file(of: group), in: storage) else { continue }
        throw StorageError(inTheWay: "\(path)/\(file(of: group))")
      }
    }
    let (format, isExact) = (configuration.format, configuration.isExact)
    return try run(groups) { group throws(StorageError) in
      let draft = try ExportDraft(self.file(of: group), in: storage)
      do throws(StorageError) {
        return format == .csv
          ? try CSVTable(group.channel, to: .file(draft))
          : try ParquetTable(group.channel, to: draft, isExact: isExact)
      } catch {
        draft.discard()
        throw error
      }
    }
  }

  /// Writes one channel as CSV to whoever takes it.
  ///
  /// - Parameters:
  ///   - channel: The channel.
  ///   - write: Takes the next bytes.
  /// - Returns: What was written.
  /// - Throws: As ``run(into:)``, and what `write` throws.
  public func run(
    _ channel: Channel,
    to write: @escaping (UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws -> ExportReport {
    var group = Group(channel: channel, date: nil)
    group.parts = try parts(of: [channel])
    let table = try CSVTable(channel, to: .stream(write))
    let report = try run([group]) { _ in table }
    return report
  }

  // MARK: - Files

  /// Parts that go into one table.
  struct Group {
    let channel: Channel
    /// The day, where each has a file.
    let date: Substring?
    var parts: [RecordedPart] = []
  }

  private func parts(of channels: Set<Channel>?) throws(StorageError) -> [RecordedPart] {
    try reader.parts(
      of: channels ?? Set(Channel.allCases),
      inDays: configuration.excerpt.days
    )
  }

  private var isByDay: Bool { configuration.layout == .day && configuration.format != .sqlite }

  /// What there is, by channel, and by day if each has a file.
  private func groups() throws(StorageError) -> [Group] {
    var groups: [Group] = []
    var places: [[Substring]: Int] = [:]
    for part in try parts(of: configuration.channels) {
      let date = isByDay ? part.date : nil
      let key = [Substring(part.channel.rawValue), date ?? ""]
      if let place = places[key] {
        groups[place].parts.append(part)
      } else {
        places[key] = groups.count
        groups.append(Group(channel: part.channel, date: date, parts: [part]))
      }
    }
    let order = Dictionary(uniqueKeysWithValues: zip(Channel.allCases, 0...))
    return groups.sorted {
      (order[$0.channel, default: 0], $0.date ?? "") < (
        order[$1.channel, default: 0], $1.date ?? ""
      )
    }
  }

  private func file(of group: Group) -> String {
    let name = "\(group.channel.rawValue).\(configuration.format.rawValue)"
    return group.date.map { "ch=\(group.channel.rawValue)/date=\($0)/\(name)" } ?? name
  }

  private static func exists(_ path: String, in storage: any Storage) throws(StorageError) -> Bool {
    do throws(StorageError) {
      _ = try storage.open(path)
      return true
    } catch  where error.code == .missing {
      return false
    }
  }

  // MARK: - Rows

  /// Writes groups, each to a table of its own that is opened with its first row.
  func run(
    _ groups: [Group],
    table open: @escaping (Group) throws(StorageError) -> any ExportTable
  ) throws -> ExportReport {
    var report = ExportReport()
    for group in groups {
      let work = ExportWork(group.channel, excerpt: configuration.excerpt) {
        () throws(StorageError) in
        try open(group)
      }
      do {
        for part in group.parts { try work.read(part, of: reader) }
        try work.finish()
      } catch {
        work.discard()
        throw error
      }
      report.add(work.figures)
    }
    return report
  }
}

/// One table in the making.
private final class ExportWork {
  private(set) var figures: ExportReport.Figures

  private let rows: ExportRowReader
  private let excerpt: Excerpt
  private let open: () throws(StorageError) -> any ExportTable
  private var table: (any ExportTable)?
  private let timeColumn: Int
  private let filter: ConidFilter?

  init(
    _ channel: Channel,
    excerpt: Excerpt,
    open: @escaping () throws(StorageError) -> any ExportTable
  ) {
    figures = ExportReport.Figures(channel: channel)
    rows = ExportRowReader(channel.columns)
    self.excerpt = excerpt
    self.open = open
    timeColumn = channel.columns.firstIndex { $0.name == "ts_recv" } ?? 0
    filter = excerpt.conids.isEmpty ? nil : ConidFilter(excerpt.conids, channel)
  }

  func read(_ part: RecordedPart, of reader: RecordingReader) throws(StorageError) {
    do throws(StorageError) {
      try read(part, at: part.path, of: reader)
    } catch  where error.code == .missing && error.path.hasSuffix(part.path) {
      // Sealed meanwhile; or removed, because of its age.
      guard !part.isCompressed else { return }
      for path in part.name.compressedPaths {
        do throws(StorageError) {
          return try read(part, at: path, of: reader)
        } catch  where error.code == .missing {
          continue
        }
      }
    }
  }

  private func read(
    _ part: RecordedPart,
    at path: String,
    of reader: RecordingReader
  ) throws(StorageError) {
    let parts = PartReader(path, storage: reader.storage, trustsMembers: false)
    let found = try parts.forEachLine { line throws(StorageError) in
      try take(line, of: part, at: path)
    }
    for damage in found.damages {
      figures.add(
        ExportReport.Damage(
          path: path,
          reason: "the member at byte \(damage.offset): \(damage.reason)"
        )
      )
    }
  }

  private func take(
    _ line: Line,
    of part: RecordedPart,
    at path: String
  ) throws(StorageError) {
    guard line.isComplete else {
      // Of an open part the end is being written, or a crash has cut it; of a sealed one the damage
      // of its member is told.
      figures.unfinishedLines += 1
      return
    }
    guard !line.isTooLong else {
      return figures.add(
        ExportReport.Damage(path: path, line: line.number, reason: "it is too long")
      )
    }
    let row: ExportRow
    do throws(ExportRowReader.Fault) {
      row = try rows.read(line.bytes)
    } catch {
      return figures.add(
        ExportReport.Damage(path: path, line: line.number, reason: error.reason)
      )
    }
    guard let time = row.time(timeColumn), excerpt.covers(time), filter?.wants(row) != false else {
      return
    }
    figures.rowsRead += 1
    let table = if let table { table } else { try open() }
    self.table = table
    do throws(StorageError) {
      try table.append(row)
    } catch  where error.code == .damaged {
      figures.rowsRead -= 1
      figures.add(
        ExportReport.Damage(
          path: path,
          line: line.number,
          reason: "another row has its run and seq"
        )
      )
    }
  }

  /// Counts what is there now, and gives it its name if that is what was read.
  func finish() throws {
    // A channel without a row has no file.
    guard let table else { return }
    let (rows, bytes) = try table.finish()
    figures.rowsWritten = rows
    figures.bytes = bytes
    figures.files = 1
    figures.roundedNumbers = table.roundedNumbers
    guard rows == figures.rowsRead else {
      throw ExportError(channel: figures.channel, read: figures.rowsRead, written: rows)
    }
    try table.publish()
  }

  func discard() {
    table?.discard()
  }
}

/// Chooses the rows of some instruments.
///
/// What concerns no instrument is wanted in any case.
private struct ConidFilter {
  private let conids: Set<Int>
  private let conidColumn: Int?
  private let listColumn: Int?
  private let topicColumn: Int?

  init(_ conids: Set<Int>, _ channel: Channel) {
    self.conids = conids
    let columns = channel.columns
    conidColumn = columns.firstIndex { $0.name == "conid" }
    listColumn = columns.firstIndex { $0.name == "conids" }
    topicColumn = channel == .raw ? columns.firstIndex { $0.name == "topic" } : nil
  }

  func wants(_ row: ExportRow) -> Bool {
    if let conidColumn, let conid = row.integer(conidColumn) { return conids.contains(Int(conid)) }
    if let listColumn {
      var (isEmpty, isThere) = (true, false)
      row.forEachElement(listColumn) { element in
        guard case .integer(let conid) = element else { return }
        isEmpty = false
        isThere = isThere || conids.contains(Int(conid))
      }
      return isEmpty || isThere
    }
    guard let topicColumn, !row.isNull(topicColumn) else { return true }
    // As in `smd+265598@ARCA`.
    let pieces = row.bytes(topicColumn).split(separator: UInt8(ascii: "+"))
    guard pieces.count > 1,
      ["smd", "umd", "smh"].contains(where: { pieces[0].elementsEqual($0.utf8) })
    else { return true }
    let digits = pieces[1].prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    return Int64(digits: UnsafeRawBufferPointer(rebasing: digits)).map { conids.contains(Int($0)) }
      ?? true
  }
}
