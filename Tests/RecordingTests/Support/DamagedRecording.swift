// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

@testable import Recording

/// A sound recording of two runs, to be damaged in one way.
struct DamagedRecording {
  let disk: DiskModel

  init(compressed: Bool) throws {
    try self.init(codec: compressed ? .gzip : nil)
  }

  init(codec: PartCodec?) throws {
    guard let sound = Self.recordings[codec] else { throw NothingToDamage() }
    disk = DiskModel(copying: try sound.get())
  }

  // Made once: every damage is done to a copy.
  private static let recordings = Dictionary(
    uniqueKeysWithValues: Codecs.all.map { codec in (codec, Result { try record(codec) }) }
  )

  private static func record(_ codec: PartCodec?) throws -> DiskModel {
    let disk = DiskModel()
    var random = SeededRandom(seed: 11)
    for number in 0..<2 {
      let start: Int64 = 1_795_400_000_000_000_000 + Int64(number) * 3_000_000_000_000
      let run = try RandomRun(number: number, start: start)
      var sealing = RecordingWriter.Sealing()
      sealing.rotation = Rotation(size: 3_000)
      sealing.codec = codec
      run.record(on: disk, batches: 16, sealing: sealing, using: &random)
    }
    disk.restart()
    return disk
  }

  struct NothingToDamage: Error {}

  /// The n-th part below a folder; from the end if n is negative.
  func part(_ n: Int, of channel: String) throws -> String {
    let parts = disk.paths.filter { path in
      path.hasPrefix("ch=\(channel)/") && PartName(path).map { $0.state != .torn } ?? false
    }
    let index = n < 0 ? parts.count + n : n
    guard parts.indices.contains(index) else { throw NothingToDamage() }
    return parts[index]
  }

  /// Changes the bytes of a file.
  func change(_ path: String, _ body: (inout [UInt8]) throws -> Void) throws {
    guard var bytes = disk.bytes(path) else { throw NothingToDamage() }
    try body(&bytes)
    disk.set(path, bytes)
  }

  /// Changes the lines of a plain file.
  func changeLines(_ path: String, _ body: (inout [String]) throws -> Void) throws {
    try change(path) { bytes in
      var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
      try body(&lines)
      bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
    }
  }

  /// Changes a line of a plain part, the n-th whose text has `marker` in it.
  func changeLine(
    of channel: String,
    with marker: String = "",
    _ body: (String) -> String
  ) throws {
    for path in disk.paths where path.hasPrefix("ch=\(channel)/") {
      var isDone = false
      try changeLines(path) { lines in
        guard
          let index = lines.indices.dropFirst().first(where: { lines[$0].contains(marker) })
            ?? (marker.isEmpty ? lines.indices.first : nil)
        else { return }
        lines[index] = body(lines[index])
        isDone = true
      }
      if isDone { return }
    }
    throw NothingToDamage()
  }

  /// Every good line there is, with the folder that it lies in.
  func goodLines() throws -> Set<String> {
    var lines: Set<String> = []
    for path in disk.paths where path.hasPrefix("ch=") {
      guard let part = PartName(path), part.channel != nil else { continue }
      guard part.state == .plain || part.state == .compressed else { continue }
      _ = try PartReader(path, storage: disk).forEachLine { line in
        guard OpenPart.head(of: line, in: part.run) != nil else { return }
        lines.insert("\(part.folder) \(String(decoding: line.bytes, as: UTF8.self))")
      }
    }
    return lines
  }
}
