// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// What this process has in memory.
enum ProcessMemory {
  /// Gives back the code that has been run so far; what is still needed comes back when it is.
  ///
  /// Options, names, the login and the handshake are read once, and most of the start's memory is the
  /// code for them: 16 of 22 MB, which a recorder would otherwise keep for months.
  static func forgetCode() {
    guard let map = try? TextFile.read("/proc/self/maps", as: "the map of this process") else {
      return
    }
    for line in map.split(separator: "\n") {
      // 7f3d08a00000-7f3d08c00000 r-xp 00028000 fe:00 1835 /usr/lib/x86_64-linux-gnu/libc.so.6
      let columns = line.split(separator: " ")
      // Of what a file backs and nobody may write to nothing is lost.
      guard columns.count == 6, columns[1] == "r-xp", columns[5].hasPrefix("/") else { continue }
      let bounds = columns[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
      guard bounds.count == 2, let start = UnsafeMutableRawPointer(bitPattern: bounds[0]) else {
        continue
      }
      madvise(start, Int(bounds[1] - bounds[0]), MADV_DONTNEED)
    }
  }
}
