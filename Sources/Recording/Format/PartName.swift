// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The name of a part, taken apart: whose it is, and in what state.
struct PartName: Hashable {
  /// What has become of a part.
  enum State: Hashable {
    /// Lines as they were written; sealed if the manifest says so.
    case plain
    /// Sealed and compressed.
    case compressed
    /// A file on its way to a name: nothing that counts.
    case draft
    /// What was cut off a part.
    case torn
  }

  /// The folder, relative to the recording.
  let folder: String
  /// The run.
  let run: RunID
  /// The number in folder and run.
  let number: Int
  /// The state.
  let state: State
  /// What stands after `part-<run>-<number>`.
  let suffix: String

  /// Reads a path; nothing comes of one that names no part.
  init?(_ path: String) {
    guard let slash = path.lastIndex(of: "/") else { return nil }
    let name = path[path.index(after: slash)...]
    let pieces = name.split(separator: "-", maxSplits: 2, omittingEmptySubsequences: false)
    guard pieces.count == 3, pieces[0] == "part", let run = RunID(pieces[1]),
      let dot = pieces[2].firstIndex(of: "."), let number = Int(pieces[2][..<dot]), number > 0
    else { return nil }
    folder = String(path[..<slash])
    self.run = run
    self.number = number
    suffix = String(pieces[2][dot...])
    switch suffix {
    case ".ndjson": state = .plain
    case ".ndjson.gz", ".ndjson.zst": state = .compressed
    case _ where suffix.hasSuffix(".new"): state = .draft
    case _ where suffix.hasSuffix(".torn"): state = .torn
    default: return nil
    }
  }

  /// The path of the same part with lines as they were written.
  var plainPath: String { base + ".ndjson" }

  /// How the part is compressed; nil if it is not.
  var codec: PartCodec? {
    state == .compressed ? PartCodec.allCases.first { suffix == ".ndjson.\($0.rawValue)" } : nil
  }

  /// The path of the same part, compressed in one way.
  func compressedPath(_ codec: PartCodec) -> String { "\(base).ndjson.\(codec.rawValue)" }

  /// The paths that the same part may have when it is compressed.
  var compressedPaths: [String] { PartCodec.allCases.map { compressedPath($0) } }

  private var base: String {
    let digits = String(number)
    return "\(folder)/part-\(run)-" + String(repeating: "0", count: max(0, 6 - digits.count))
      + digits
  }

  /// The channel that the folder is of; nil if there is no such channel.
  var channel: Channel? {
    folder.split(separator: "/").first.flatMap { name in
      name.hasPrefix("ch=") ? Channel(rawValue: String(name.dropFirst(3))) : nil
    }
  }

  /// The day that the folder is of, as its name says.
  var date: Substring? { value(of: "date") }

  /// The instrument that the folder is of, percent-encoded as its name says.
  var symbol: Substring? { value(of: "symbol") }

  private func value(of key: String) -> Substring? {
    folder.split(separator: "/").first { $0.hasPrefix("\(key)=") }?.dropFirst(key.count + 1)
  }
}

extension Storage {
  /// All files below the channels' folders, in the order of their paths.
  ///
  /// - Parameter isWanted: Asked for each folder of a day, by its name; a recording of years has
  ///   many.
  /// - Returns: The paths.
  /// - Throws: `StorageError`.
  func channelFiles(
    inDates isWanted: (String) -> Bool = { _ in true }
  ) throws(StorageError) -> [String] {
    var files: [String] = []
    for channel in try list("") where channel.hasPrefix("ch=") && channel.hasSuffix("/") {
      for date in try list(String(channel.dropLast())) {
        guard date.hasSuffix("/") else {
          files.append("\(channel)\(date)")
          continue
        }
        guard isWanted(String(date.dropLast())) else { continue }
        try appendFiles(below: "\(channel)\(date.dropLast())", to: &files)
      }
    }
    return files
  }

  private func appendFiles(
    below folder: String,
    to files: inout [String]
  ) throws(StorageError) {
    for name in try list(folder) {
      if name.hasSuffix("/") {
        try appendFiles(below: "\(folder)/\(name.dropLast())", to: &files)
      } else {
        files.append("\(folder)/\(name)")
      }
    }
  }
}
