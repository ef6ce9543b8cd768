// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// The quote of one subscription as of now, and what the last message did to it.
final class QuoteBook {
  /// The name of the instrument's records.
  let symbol: String

  /// The merged values.
  private(set) var state = QuoteState()

  /// The fields of the last message that have no column, as the members of a JSON object.
  private(set) var others = LineBuffer(capacity: 64)

  /// The names of those fields.
  private(set) var otherNames: [String] = []

  init(symbol: String) {
    self.symbol = symbol
  }

  /// Forgets every value.
  func clear() {
    state.clear()
  }

  /// Merges a message.
  ///
  /// - Parameters:
  ///   - message: A market-data message of this subscription.
  ///   - isUTF8: Whether it is UTF-8.
  /// - Returns: What it did, nil if it said nothing about the quote.
  func apply(_ message: UnsafeRawBufferPointer, isUTF8: Bool) -> QuoteState.Update? {
    if !others.isEmpty {
      others.removeAll()
      otherNames.removeAll(keepingCapacity: true)
    }
    let availability = state.availability
    let update = state.apply(message) { id, content, kind in
      let name = MarketDataField(id).name
      // An abbreviated value has a column, and is named as that.
      if QuoteState.Column(field: id) == nil { otherNames.append(name) }
      if !others.isEmpty { others.append(UInt8(ascii: ",")) }
      others.append(string: name)
      others.append(UInt8(ascii: ":"))
      Self.append(content, kind, isUTF8: isUTF8, to: &others)
    }
    guard let update, update.carriesFields || state.availability != availability else { return nil }
    return update
  }

  /// Appends a value as it stood in the message.
  private static func append(
    _ content: UnsafeRawBufferPointer,
    _ kind: JSONKind,
    isUTF8: Bool,
    to text: inout LineBuffer
  ) {
    if kind == .string { text.append(UInt8(ascii: "\"")) }
    if isUTF8 {
      text.append(contentsOf: content)
    } else {
      text.append(contentsOf: Array(String(decoding: content, as: UTF8.self).utf8))
    }
    if kind == .string { text.append(UInt8(ascii: "\"")) }
  }
}
