// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Flow
import IBKR

/// Market-data fields as a person lists them: `31,84,ask_price`.
struct FieldList: Hashable {
  /// The fields, each once, in their order.
  let fields: [MarketDataField]

  /// Reads a list of numbers and names.
  ///
  /// - Parameter text: The fields, with commas between them.
  /// - Throws: ``UnknownWord`` for what is neither the number nor the name of a field.
  init(_ text: String) throws(UnknownWord) {
    var fields: [MarketDataField] = []
    for name in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let field = MarketDataField(named: name) else {
        throw UnknownWord(
          "field",
          String(name),
          known: MarketDataField.all.map(\.name),
          command: "ibkr fields TEXT"
        )
      }
      if !fields.contains(field) { fields.append(field) }
    }
    self.fields = fields
  }

  /// Reads a list, for an option's `transform`.
  static func parse(_ text: String) throws -> FieldList { try FieldList(text) }
}
