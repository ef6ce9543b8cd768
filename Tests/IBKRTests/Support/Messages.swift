// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

@testable import IBKR

extension Message {
  /// A message from the server, as the I/O thread hands it on.
  init?(received bytes: [UInt8]) {
    var builder = EventBatchBuilder()
    var router = MessageRouter()
    bytes.withUnsafeBytes { raw in
      builder.append(raw, direction: .inbound, kind: .binary, realtime: 1, monotonic: 1) {
        if String(validating: raw, as: UTF8.self) != nil { $0.flags.insert(.utf8) }
        _ = router.route(raw, into: &$0)
      }
    }
    builder.markLast(fields: router.fields)
    guard let batch = builder.take(), case .message(let message) = batch[0] else { return nil }
    self = message
  }

  init?(received text: String) { self.init(received: Array(text.utf8)) }
}
