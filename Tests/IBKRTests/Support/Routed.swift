// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

@testable import IBKR

extension QuoteState {
  /// Merges a message as the I/O thread would have described it.
  ///
  /// - Parameters:
  ///   - message: Its bytes.
  ///   - other: Called for what has no column.
  /// - Returns: What it did, nil if it is not a quote.
  mutating func apply(
    _ message: UnsafeRawBufferPointer,
    other: (Int, UnsafeRawBufferPointer, JSONKind) -> Void = { _, _, _ in }
  ) -> Update? {
    var router = MessageRouter()
    var record = EventRecord(seq: 1, realtime: 0, monotonic: 0, sort: .message)
    _ = router.route(message, into: &record)
    return apply(record, router.fields.places.span, of: message, changed: { _, _ in }, other: other)
  }
}

extension EventReplayer {
  /// Adds a message from the server.
  ///
  /// - Parameters:
  ///   - text: The message.
  ///   - seq: Its number.
  ///   - monotonic: When it came.
  mutating func append(_ text: String, seq: UInt64, at monotonic: Int64) {
    Array(text.utf8).withUnsafeBytes { bytes in
      append(
        bytes,
        direction: .inbound,
        kind: .binary,
        stamp: Stamp(seq: seq, realtime: 1, monotonic: monotonic)
      )
    }
  }
}
