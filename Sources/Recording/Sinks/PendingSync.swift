// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What of a part a power loss would take, and how it is made safe: by any thread, because that may
/// take the disk long.
struct PendingSync: Sendable, Hashable {
  /// Where the part is.
  let path: String
  /// Up to where it is to be made safe.
  let byteCount: Int
  /// The folder that the file's name may still have to be made safe in.
  let folder: String?

  /// Makes it safe.
  ///
  /// - Parameter storage: The recording.
  /// - Throws: `StorageError`.
  func perform(in storage: any Storage) throws(StorageError) {
    do throws(StorageError) {
      try storage.open(path).synchronize()
      // What is in a file counts for nothing when its name is lost.
      if let folder { try storage.synchronizeNames(downTo: folder) }
    } catch {
      // Of a part that somebody has removed there is nothing to keep; the next write begins another.
      guard error.code == .missing else { throw error }
    }
  }
}
