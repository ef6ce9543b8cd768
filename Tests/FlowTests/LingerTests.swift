// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import Flow

@Suite struct LingerTests {
  /// How many of so many waits are preceded by a look.
  private func looks(_ linger: inout Linger, waits: Int, useful: Bool) -> Int {
    var looks = 0
    for _ in 0..<waits where linger.shouldLook() {
      looks += 1
      linger.looked(wasUseful: useful)
    }
    return looks
  }

  @Test func looksAlwaysWhileThatFindsSomething() {
    var linger = Linger()
    #expect(looks(&linger, waits: 100, useful: true) == 100)
  }

  @Test func looksEverMoreRarelyInVain() {
    var linger = Linger()
    // 1, 2, 4, … 64: the first 127 waits are preceded by seven looks, then one of 64 is.
    #expect(looks(&linger, waits: 127, useful: false) == 7)
    #expect(looks(&linger, waits: 640, useful: false) == 10)
    #expect(looks(&linger, waits: 64, useful: true) == 1)
    #expect(looks(&linger, waits: 10, useful: true) == 10)
  }
}
