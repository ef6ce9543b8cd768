// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// Lines on their way to the ledger, and the writer that waits for them.
struct LedgerBuffer {
  private var lines: [UInt8] = []
  private var frames = 0

  /// The bytes that wait.
  var count: Int { lines.count }

  /// Adds a line for a frame that was sent.
  ///
  /// - Parameters:
  ///   - socket: The socket's number.
  ///   - realtime: Nanoseconds since 1970.
  ///   - kind: `binary` or `close`.
  ///   - text: The payload.
  mutating func append(socket: Int, realtime: Int64, kind: String, text: String) {
    frames += 1
    let head = #"{"n":\#(frames),"socket":\#(socket),"ts":\#(realtime),"op":"\#(kind)","#
    lines += Array("\(head)\"bytes\":\(text.utf8.count),\"msg\":".utf8)
    lines.appendJSON(string: text)
    lines += Array("}\n".utf8)
  }

  /// Adds a line for a request that was served.
  mutating func append(_ request: ServedRequest) {
    let status = request.status.map { "\($0)" } ?? "null"
    lines += Array(#"{"kind":"request","t_ms":\#(request.milliseconds),"method":"#.utf8)
    lines.appendJSON(string: request.method)
    lines += Array(#","path":"#.utf8)
    lines.appendJSON(string: request.path)
    lines += Array(",\"status\":\(status)}\n".utf8)
  }

  /// Takes all lines.
  mutating func take() -> [UInt8] {
    defer { lines = [] }
    return lines
  }
}
