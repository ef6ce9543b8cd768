// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import WebSocket

/// A file that messages are appended to, a line each, with one `write` per MiB.
struct LineFile: ~Copyable {
  private static let chunk = 1 << 20

  private let descriptor: Int32
  private let path: String
  private var lines: [UInt8] = []

  init(path: String) throws {
    self.path = path
    descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Failure(path: path, errno: errno) }
    lines.reserveCapacity(Self.chunk + (1 << 17))
  }

  deinit {
    Glibc.close(descriptor)
  }

  mutating func append(_ batch: MessageBatch) throws {
    for index in 0..<batch.count where batch[index].kind.isData {
      batch.withBytes(of: index) { lines.append(contentsOf: $0) }
      lines.append(UInt8(ascii: "\n"))
    }
    if lines.count >= Self.chunk { try finish() }
  }

  /// Writes what has been collected.
  mutating func finish() throws {
    var written = 0
    while written < lines.count {
      let count = lines.withUnsafeBytes { bytes in
        Glibc.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Failure(path: path, errno: errno) }
      written += count
    }
    lines.removeAll(keepingCapacity: true)
  }

  struct Failure: Error, CustomStringConvertible {
    let path: String
    let errno: Int32

    var description: String { "\(path) cannot be written: error \(errno)" }
  }
}
