// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import CLinux
import Glibc

/// What the process has of the machine.
struct Vitals: Sendable, Hashable {
  /// Bytes in physical memory.
  let resident: Int
  /// Bytes that were had from `malloc` and not given back.
  let heap: Int
  /// Open descriptors.
  let descriptors: Int
  /// Threads.
  let threads: Int

  /// Looks now.
  static func now() -> Vitals {
    Vitals(
      resident: residentBytes(),
      heap: clinux_heap_bytes(),
      descriptors: entries(of: "/proc/self/fd"),
      threads: entries(of: "/proc/self/task")
    )
  }

  /// The processor time of the process so far, in milliseconds.
  static func processorTime() -> Int64 {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return [usage.ru_utime, usage.ru_stime].reduce(0) {
      $0 + Int64($1.tv_sec) * 1_000 + Int64($1.tv_usec) / 1_000
    }
  }

  private static func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "re") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
    let words = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
      .split(separator: " ")
    return (words.count > 1 ? Int(words[1]) ?? 0 : 0) * sysconf(Int32(_SC_PAGESIZE))
  }

  /// How many files a folder of `/proc` has, its own descriptor left out.
  private static func entries(of path: String) -> Int {
    guard let folder = opendir(path) else { return 0 }
    defer { closedir(folder) }
    var count = 0
    while let entry = readdir(folder) {
      if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
    }
    return path.hasSuffix("fd") ? count - 1 : count
  }
}
