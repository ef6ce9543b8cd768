// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// What this process takes of the machine, under the names that every Prometheus client uses.
struct ProcessFigures {
  let cpuSeconds: Double
  let residentBytes: Int
  let openDescriptors: Int

  /// Asks the system.
  ///
  /// - Returns: The figures, nil where there is no /proc.
  static func now() -> ProcessFigures? {
    var usage = rusage()
    guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0, let pages = residentPages(),
      let descriptors = descriptorCount()
    else { return nil }
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return ProcessFigures(
      cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
      residentBytes: pages * sysconf(Int32(_SC_PAGESIZE)),
      openDescriptors: descriptors
    )
  }

  /// Adds them to metrics.
  func add(to text: inout PrometheusText) {
    text.add("process_cpu_seconds_total", .counter, "User and system CPU time.", cpuSeconds)
    text.add("process_resident_memory_bytes", .gauge, "Resident memory.", residentBytes)
    text.add("process_open_fds", .gauge, "Open file descriptors.", openDescriptors)
  }

  /// The second number of /proc/self/statm.
  private static func residentPages() -> Int? {
    let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 128)
    let count = read(descriptor, &bytes, bytes.count)
    guard count > 0 else { return nil }
    let words = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
    return words.count > 1 ? Int(words[1]) : nil
  }

  private static func descriptorCount() -> Int? {
    guard let folder = opendir("/proc/self/fd") else { return nil }
    defer { closedir(folder) }
    var count = 0
    while let entry = readdir(folder) {
      // Neither "." nor "..", and not the descriptor that this folder is read by.
      if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
    }
    return count - 1
  }
}
