// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import IBKR

/// Market-data fields as a person lists them: `31,84,ask_price`.
struct FieldList: ExpressibleByArgument, Hashable {
  /// The fields, each once, in their order.
  let fields: [MarketDataField]

  init?(argument: String) {
    var fields: [MarketDataField] = []
    for name in argument.split(separator: ",", omittingEmptySubsequences: false) {
      guard let field = MarketDataField(named: name) else { return nil }
      if !fields.contains(field) { fields.append(field) }
    }
    guard !fields.isEmpty else { return nil }
    self.fields = fields
  }
}
