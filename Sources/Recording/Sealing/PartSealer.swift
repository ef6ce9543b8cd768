// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto

/// Seals one part, a step at a time, so that the thread that writes is never away for long.
///
/// The lines are read back from the disk, so the manifest tells what is there and not what should
/// be. A compressed part comes into being under another name: it is written, synced, and renamed,
/// and the name is synced; then it belongs into the manifest, and only when it is there may the
/// plain file go. Whatever a crash leaves of this, the plain file is whole until the manifest names
/// the other.
final class PartSealer {
  /// The plain part.
  let part: PartName

  private let channel: Channel
  private let codec: PartCodec?
  private let storage: any Storage

  // All of one attempt; another begins with nothing of it.
  private var attempt: SealingAttempt?

  /// Names a part that nothing will be added to.
  ///
  /// - Parameters:
  ///   - part: The plain part; all of it must be synced.
  ///   - channel: Its channel.
  ///   - codec: How it is compressed; nil if it stays as it is.
  ///   - storage: The recording.
  init(_ part: PartName, channel: Channel, codec: PartCodec?, storage: any Storage) {
    self.part = part
    self.channel = channel
    self.codec = codec
    self.storage = storage
  }

  /// Where the sealed part will be.
  var sealedPath: String { codec.map { part.compressedPath($0) } ?? part.plainPath }

  private var draftPath: String { "\(sealedPath).new" }

  /// Does the next piece of work: 256 KiB of lines, or the end.
  ///
  /// - Returns: Whether everything is done.
  /// - Throws: `StorageError`; then the next call begins anew.
  func step() throws(StorageError) -> Bool {
    guard !isDone else { return true }
    do throws(StorageError) {
      let attempt = if let attempt { attempt } else { try begin() }
      self.attempt = attempt
      if try attempt.readOn() { return false }
      try finish(attempt)
      self.attempt = nil
      isDone = true
      return true
    } catch {
      attempt = nil
      // What this leaves is removed before the next attempt, or at the next start.
      if codec != nil { try? storage.removeIfPresent(draftPath) }
      throw error
    }
  }

  private var isDone = false

  /// Whether the manifest names the sealed part; whoever writes it there says so.
  var isListed = false

  /// What the manifest is to say, when everything is done; nil if the part has no lines.
  private(set) var entry: ManifestEntry?

  /// Removes the plain file of a part that is sealed as another, once the manifest names that.
  ///
  /// - Throws: `StorageError`.
  func removePlain() throws(StorageError) {
    guard codec != nil else { return }
    try storage.removeIfPresent(part.plainPath)
    try storage.synchronizeFolder(part.folder)
  }

  private func begin() throws(StorageError) -> SealingAttempt {
    let input = try storage.open(part.plainPath)
    guard let codec else { return try SealingAttempt(of: part, input: input, output: nil) }
    try storage.removeIfPresent(draftPath)
    let draft = try storage.create(draftPath)
    return try SealingAttempt(of: part, input: input, output: (draft, codec))
  }

  private func finish(_ attempt: SealingAttempt) throws(StorageError) {
    let digest = try attempt.finish()
    if codec != nil {
      try storage.rename(draftPath, to: sealedPath)
      try storage.synchronizeFolder(part.folder)
    }
    guard let seq = attempt.seq, let time = attempt.time else { return }
    entry = ManifestEntry(
      path: sealedPath,
      run: part.run,
      channel: channel,
      lines: attempt.lines,
      seq: seq,
      time: time,
      bytes: attempt.bytes,
      digest: digest
    )
  }
}
