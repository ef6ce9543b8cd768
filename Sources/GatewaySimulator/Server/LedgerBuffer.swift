// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
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
  ///   - frame: The frame.
  ///   - realtime: Nanoseconds since 1970.
  mutating func append(_ frame: SentFrame, realtime: Int64) {
    frames += 1
    let head =
      #"{"n":\#(frames),"socket":\#(frame.socket),"ts":\#(realtime),"op":"\#(frame.kind.rawValue)","#
    lines += Array("\(head)\"bytes\":\(frame.bytes.count),\"msg\":".utf8)
    if let text = String(validating: frame.bytes, as: UTF8.self) {
      lines.appendJSON(string: text)
    } else {
      lines += Array("null,\"b64\":\"\(Base64.encode(frame.bytes))\"".utf8)
    }
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
