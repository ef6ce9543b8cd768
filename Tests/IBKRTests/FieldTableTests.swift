// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import IBKR

@Suite struct FieldTableTests {
  @Test func findsByNumberNameAndMeaning() {
    #expect(MarketDataField.search("best BID").map(\.field) == [.bidPrice])
    #expect(MarketDataField.search("7762").map(\.name) == ["volume_long"])
    #expect(MarketDataField.search("52_week").map(\.field.id) == [7293, 7294])
    #expect(MarketDataField.search("halted").isEmpty)
    #expect(MarketDataField.search("").count == MarketDataField.all.count)
  }

  @Test func everyFieldHasANameOfItsOwn() {
    let all = MarketDataField.all
    #expect(Set(all.map(\.field)).count == all.count)
    #expect(Set(all.map(\.name)).count == all.count)
    for known in all {
      #expect(!known.meaning.isEmpty)
      #expect(MarketDataField(named: known.name) == known.field)
      #expect(known.field.description == known)
    }
    #expect(Set(MarketDataField.standard).isSubset(of: all.map(\.field)))
  }
}
