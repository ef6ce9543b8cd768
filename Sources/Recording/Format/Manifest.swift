// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// What the manifest says as a whole: the sealed parts, and those that were removed.
struct Manifest {
  /// A part that is no longer there, and why.
  struct Removal: Hashable {
    /// Where it was.
    var path: String
    /// When it was removed, in nanoseconds since 1970.
    var time: Int64
    /// `age` or `size`.
    var reason: String

    /// Appends the removal's line of `_manifest.ndjson`.
    func append(to lines: inout LineBuffer) {
      lines.append("{\"v\":1,\"path\":")
      lines.append(string: path)
      lines.append(",\"removed\":")
      lines.append(time)
      lines.append(",\"reason\":")
      lines.append(string: reason)
      lines.append("}\n")
    }
  }

  /// Where the manifest is.
  static let path = "_manifest.ndjson"

  /// The sealed parts by path; of several lines for one part, the last.
  private(set) var entries: [String: ManifestEntry] = [:]
  /// The parts that were removed, by path; what the manifest said of them is in ``removedEntries``.
  private(set) var removals: [String: Removal] = [:]
  /// What is known of the removed parts.
  private(set) var removedEntries: [String: ManifestEntry] = [:]
  /// The last removal, which a crash may have kept from being done.
  private(set) var lastRemoval: Removal?
  /// The numbers of the lines that say nothing.
  private(set) var badLines: [Int] = []
  /// Whether the last line has no end.
  private(set) var isTorn = false

  /// A manifest that says nothing.
  init() {}

  /// Reads a recording's manifest; without one there are no sealed parts.
  ///
  /// - Parameters:
  ///   - storage: The recording.
  ///   - run: A run, if only its parts are wanted.
  /// - Throws: `StorageError`.
  init(of storage: any Storage, run: RunID? = nil) throws(StorageError) {
    do {
      _ = try PartReader(Self.path, storage: storage).forEachLine { line in
        if line.isComplete { take(line, run) } else { isTorn = true }
      }
    } catch  where error.code == .missing {
      // Nothing is sealed yet.
    }
  }

  /// Whether a line says anything of a part.
  static func isLine(_ line: UnsafeRawBufferPointer) -> Bool {
    guard let value = try? JSONValue(parsing: line), let path = value["path"]?.string else {
      return false
    }
    return value["removed"]?.int != nil || ManifestEntry(value, path: path) != nil
  }

  private mutating func take(_ line: Line, _ run: RunID?) {
    guard let value = try? JSONValue(parsing: line.bytes), value["v"]?.int == 1,
      let path = value["path"]?.string
    else { return badLines.append(line.number) }
    if let time = value["removed"]?.int, let reason = value["reason"]?.string {
      let removal = Removal(path: path, time: Int64(time), reason: reason)
      removals[path] = removal
      lastRemoval = removal
      removedEntries[path] = entries.removeValue(forKey: path)
    } else if let entry = ManifestEntry(value, path: path) {
      guard run == nil || entry.run == run else { return }
      entries[path] = entry
      removals[path] = nil
    } else {
      badLines.append(line.number)
    }
  }
}

extension ManifestEntry {
  /// Reads a line of the manifest; nil comes of one that lacks something.
  fileprivate init?(_ value: JSONValue, path: String) {
    guard let run = value["run"]?.string.flatMap({ RunID($0) }),
      let channel = value["ch"]?.string.flatMap(Channel.init(rawValue:)),
      let lines = value["lines"]?.int, let bytes = value["bytes"]?.int,
      let seqFirst = value["seq_first"]?.int.flatMap(UInt64.init(exactly:)),
      let seqLast = value["seq_last"]?.int.flatMap(UInt64.init(exactly:)), seqFirst <= seqLast,
      let timeFirst = value["ts_first"]?.int, let timeLast = value["ts_last"]?.int,
      timeFirst <= timeLast, let digest = value["sha256"]?.string
    else { return nil }
    self.init(
      path: path,
      run: run,
      channel: channel,
      lines: lines,
      seq: seqFirst...seqLast,
      time: Int64(timeFirst)...Int64(timeLast),
      bytes: bytes,
      digest: digest
    )
  }
}
