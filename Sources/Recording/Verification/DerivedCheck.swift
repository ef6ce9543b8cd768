// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR

/// Makes the typed channels of a run again from its log, and compares.
struct DerivedCheck {
  private let record: RunRecord
  private let storage: any Storage

  init(_ record: RunRecord, storage: any Storage) {
    self.record = record
    self.storage = storage
  }

  /// Compares, folder by folder.
  ///
  /// - Returns: The folders that hold something else than what follows from the log.
  /// - Throws: `StorageError`.
  func findings() throws(StorageError) -> [Finding] {
    var log: [PartName] = []
    var folders: [String: [(part: PartName, path: String)]] = [:]
    for path in try storage.channelFiles() {
      guard let part = PartName(path), part.run == record.run,
        part.state == .plain || part.state == .compressed
      else { continue }
      if part.channel == .raw { log.append(part) }
      folders[part.folder, default: []].append((part, path))
    }
    guard !log.isEmpty else { return [] }
    let wanted = try derive()
    var findings: [Finding] = []
    for folder in Set(folders.keys).union(wanted.keys).sorted() {
      guard !folder.hasPrefix("ch=raw") else { continue }
      var found = LineDigest()
      for (part, path) in (folders[folder] ?? []).sorted(by: { $0.part.number < $1.part.number }) {
        _ = try PartReader(path, storage: storage).forEachLine { line in
          if LineHead(line.bytes, of: part.run) != nil { found.add(line.bytes) }
        }
      }
      let expected = wanted[folder] ?? LineDigest()
      guard found != expected else { continue }
      findings.append(
        Finding(
          .differsFromLog,
          folder,
          "\(found.count) lines of run \(record.run), and \(expected.count) follow from its log"
        )
      )
    }
    return findings
  }

  private func derive() throws(StorageError) -> [String: LineDigest] {
    let derivation = Derivation(
      record,
      instruments: try Instrument.learned(in: record.run, from: storage)
    )
    let sheets = DigestSheets()
    for path in try LogParts(of: record.run, in: storage).paths {
      _ = try PartReader(path, storage: storage).forEachLine { line in
        derivation.append(line.bytes, to: sheets)
      }
    }
    derivation.finish(to: sheets)
    return sheets.digests
  }
}

/// The parts of a run's log in the order of their numbers.
struct LogParts {
  /// Where they are.
  let paths: [String]

  /// Finds them.
  ///
  /// - Parameters:
  ///   - run: The run.
  ///   - storage: The recording.
  /// - Throws: `StorageError`.
  init(of run: RunID, in storage: any Storage) throws(StorageError) {
    var found: [(first: UInt64, path: String)] = []
    for path in try storage.channelFiles() where path.hasPrefix("ch=raw/") {
      guard let part = PartName(path), part.run == run,
        part.state == .plain || part.state == .compressed
      else { continue }
      var first: UInt64?
      _ = try PartReader(path, storage: storage).forEachLine { line in
        if first == nil { first = LineHead(line.bytes, of: run)?.seq }
      }
      if let first { found.append((first, path)) }
    }
    paths = found.sorted { $0.first < $1.first }.map(\.path)
  }
}

/// Lines, reduced to their number and a digest; their order does not count, because what is made
/// again after a crash lies behind the rest.
struct LineDigest: Hashable {
  private(set) var count = 0
  private var sum: UInt64 = 0

  /// Adds a line: the sum of all lines' digests (FNV-1a, 64 bits).
  mutating func add(_ line: UnsafeRawBufferPointer) {
    count += 1
    var value: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in line { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    sum &+= value
  }
}

/// Keeps of lines only their digests, by folder.
private final class DigestSheets: LineSheets {
  private var sheets: [PartPath: LineSheet] = [:]
  private var found: [String: LineDigest] = [:]

  func sheet(_ channel: Channel, symbol: String?, at realtime: Int64) -> LineSheet {
    let place = PartPath(channel: channel, date: UTCDate(realtime: realtime), symbol: symbol)
    if let sheet = sheets[place] {
      if sheet.lines.count > 1 << 16 { digest(sheet, place) }
      return sheet
    }
    let sheet = LineSheet()
    sheets[place] = sheet
    return sheet
  }

  /// The digests of all lines.
  var digests: [String: LineDigest] {
    for (place, sheet) in sheets { digest(sheet, place) }
    return found
  }

  private func digest(_ sheet: LineSheet, _ place: PartPath) {
    var digest = found[place.folder] ?? LineDigest()
    sheet.lines.withBytes { bytes in
      for line in bytes.split(separator: UInt8(ascii: "\n")) {
        digest.add(UnsafeRawBufferPointer(rebasing: line))
      }
    }
    if digest.count > 0 { found[place.folder] = digest }
    sheet.removeLines()
  }
}
