// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import Logging
import Transport

/// Writes log lines to standard error: time in UTC, level, message, then `name=value`.
struct StandardErrorLog: LogHandler {
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]

  init(logLevel: Logger.Level) {
    self.logLevel = logLevel
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var line = "\(Self.time()) \(event.level): \(event.message)"
    let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
    for (name, value) in all.sorted(by: { $0.key < $1.key }) { line += " \(name)=\(value)" }
    StandardError.write(line)
  }

  private static func time() -> String {
    let now = EventLoop.realtime
    var seconds = time_t(now / 1_000_000_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 32)
    strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
    let milliseconds = String(now / 1_000_000 % 1_000 + 1_000).dropFirst()
    let prefix = text.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return "\(prefix).\(milliseconds)Z"
  }
}
