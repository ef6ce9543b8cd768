// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Removes the oldest sealed parts when there are too many, and writes each removal down.
///
/// The manifest says that a part is gone before it goes, so that it never names one that is not
/// there; what a crash leaves of this is removed at the next start.
final class SealedParts {
  private struct Item {
    let path: String
    let bytes: Int
    let lastTime: Int64
  }

  private let retention: Retention
  private let storage: any Storage
  private let manifest: LedgerFile
  private var items: [Item] = []
  private var totalBytes = 0
  private var isSorted = true

  /// Takes stock.
  ///
  /// - Parameters:
  ///   - known: What the manifest says now.
  ///   - retention: The rule.
  ///   - storage: The recording.
  ///   - manifest: Where removals are written down.
  init(
    _ known: Manifest,
    retention: Retention,
    storage: any Storage,
    manifest: LedgerFile
  ) {
    self.retention = retention
    self.storage = storage
    self.manifest = manifest
    guard !retention.keepsAll else { return }
    for entry in known.entries.values { add(entry) }
  }

  /// Learns of a part that was sealed.
  func add(_ entry: ManifestEntry) {
    guard !retention.keepsAll else { return }
    items.append(Item(path: entry.path, bytes: entry.bytes, lastTime: entry.time.upperBound))
    totalBytes += entry.bytes
    isSorted = false
  }

  /// Removes what is too old or too much.
  ///
  /// - Parameter now: The time, in nanoseconds since 1970.
  /// - Throws: `StorageError`; it may be called again.
  func tidy(at now: Int64) throws(StorageError) {
    guard !retention.keepsAll else { return }
    if !isSorted {
      // The youngest first, so that the oldest is taken off the end.
      items.sort { ($0.lastTime, $0.path) > ($1.lastTime, $1.path) }
      isSorted = true
    }
    while let oldest = items.last, let reason = reason(toRemove: oldest, at: now) {
      var line = LineBuffer()
      Manifest.Removal(path: oldest.path, time: now, reason: reason).append(to: &line)
      try manifest.append(line)
      try storage.removeIfPresent(oldest.path)
      items.removeLast()
      totalBytes -= oldest.bytes
    }
  }

  private func reason(toRemove item: Item, at now: Int64) -> String? {
    if let limit = retention.nanoseconds, now - item.lastTime > limit { return "age" }
    if let limit = retention.size, totalBytes > limit { return "size" }
    return nil
  }
}
