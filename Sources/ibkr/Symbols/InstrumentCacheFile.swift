// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc
import IBKR
import Logging

/// The file in which instruments are remembered: `ibkr/instruments.ndjson` below
/// `$XDG_CACHE_HOME`, or `~/.cache`.
///
/// Nothing depends on it: what cannot be read or written is said once, and looked up.
struct InstrumentCacheFile {
  let path: String
  let logger: Logger

  /// The file of this user; nil where there is no home.
  init?(variables: [String: String], logger: Logger) {
    func folder(_ name: String) -> String? {
      // The specification wants relative paths ignored.
      variables[name].flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
    guard let base = folder("XDG_CACHE_HOME") ?? folder("HOME").map({ "\($0)/.cache" }) else {
      return nil
    }
    self.init(path: "\(base)/ibkr/instruments.ndjson", logger: logger)
  }

  init(path: String, logger: Logger) {
    self.path = path
    self.logger = logger
  }

  /// Reads the file; what is damaged in it is left out.
  ///
  /// - Parameter now: Seconds since 1970.
  /// - Returns: What it says, nothing if it is not there.
  func read(now: Int64) -> InstrumentCache {
    guard access(path, F_OK) == 0 else { return InstrumentCache() }
    guard let text = try? TextFile.read(path, as: "the cache") else {
      logger.warning("\(path) cannot be read: every symbol is looked up")
      return InstrumentCache()
    }
    let cache = InstrumentCache(text, now: now)
    if cache.damagedLines > 0 {
      logger.warning(
        "\(path) is damaged: \(cache.damagedLines) lines are looked up again and written anew"
      )
    }
    return cache
  }

  /// Replaces the file in one step.
  func write(_ cache: InstrumentCache) {
    let folder = String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
    let temporary = "\(path).\(getpid())"
    do {
      try Self.makeFolder(folder)
      try TextFile.write(cache.text, to: temporary, as: "the cache")
      guard rename(temporary, path) == 0 else {
        let reason = String(cString: strerror(errno))
        unlink(temporary)
        logger.warning("symbols are not remembered: \(path) cannot be replaced: \(reason)")
        return
      }
    } catch {
      logger.warning("symbols are not remembered: \(error)")
    }
  }

  private static func makeFolder(_ path: String) throws {
    guard !path.isEmpty, access(path, F_OK) != 0 else { return }
    try makeFolder(String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)))
    mkdir(path, 0o700)
  }
}
