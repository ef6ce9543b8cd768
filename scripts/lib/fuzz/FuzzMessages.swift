// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

@testable import IBKR

/// A message of the server: the one look at it beside the strict reader, then every typed value.
@Sendable func fuzzMessage(_ input: Input) {
  let difference = ReferenceHead(input.bytes)?.difference(from: input.bytes)
  require(difference == nil, difference ?? "")
  guard let message = Message(received: input.bytes) else { return require(false, "no event") }
  require(message.bytes == input.bytes, "other bytes")
  require(!Portrait(message.content).description.isEmpty, "no content")
  // The merged quote takes what comes, whatever it was.
  var state = QuoteState()
  let fields = Array(message.storage.fields[message.record.fields])
  for _ in 0..<2 {
    input.bytes.withUnsafeBytes { bytes in
      let update = state.apply(message.record, fields.span, of: bytes)
      require(update == nil || message.topic == .marketData, "a quote of another topic")
    }
  }
}
