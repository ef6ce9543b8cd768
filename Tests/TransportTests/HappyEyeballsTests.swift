// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import Transport

/// RFC 8305, by a clock that the test moves.
struct HappyEyeballsTests {
  private static func addresses(_ names: [String]) throws -> [SocketAddress] {
    try names.map { try #require(SocketAddress(literal: $0, port: 443)) }
  }

  @Test(arguments: [
    (["2001:db8::1", "2001:db8::2", "192.0.2.1"], ["2001:db8::1", "192.0.2.1", "2001:db8::2"]),
    (
      ["192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3"],
      ["192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3"]
    ),
    (["192.0.2.1", "192.0.2.2"], ["192.0.2.1", "192.0.2.2"]),
    ([], []),
  ])
  func `Families alternate, the best address first`(given: [String], order: [String]) throws {
    #expect(HappyEyeballs.interleaved(try Self.addresses(given)).map(\.host) == order)
  }

  @Test func `A silent address gets 250 ms before the next one is tried beside it`() throws {
    let all = try Self.addresses(["2001:db8::1", "192.0.2.1"])
    var plan = HappyEyeballs(all)
    #expect(plan.next(at: 1_000) == .start(all[0]))
    #expect(plan.next(at: 1_000) == .wait(until: 250_001_000))
    #expect(plan.next(at: 250_000_999) == .wait(until: 250_001_000))
    #expect(plan.next(at: 250_001_000) == .start(all[1]))
    #expect(plan.next(at: 250_001_000) == .wait(until: nil))
    plan.attemptFailed()
    #expect(plan.next(at: 250_001_001) == .wait(until: nil))
    plan.attemptFailed()
    #expect(plan.next(at: 250_001_002) == .exhausted)
  }

  @Test func `After a failure the next address is tried at once`() throws {
    let all = try Self.addresses(["2001:db8::1", "2001:db8::2", "192.0.2.1"])
    var plan = HappyEyeballs(all)
    #expect(plan.next(at: 0) == .start(all[0]))
    plan.attemptFailed()
    #expect(plan.next(at: 5) == .start(all[2]))
    #expect(plan.next(at: 6) == .wait(until: 250_000_005))
    plan.attemptFailed()
    #expect(plan.next(at: 7) == .start(all[1]))
  }

  @Test func `Without addresses there is nothing to try`() {
    var plan = HappyEyeballs([])
    #expect(plan.next(at: 0) == .exhausted)
  }
}
