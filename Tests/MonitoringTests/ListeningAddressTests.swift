// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing
import Transport

@testable import Monitoring

@Suite struct ListeningAddressTests {
  @Test(arguments: [
    (":9464", "127.0.0.1:9464", true), ("127.0.0.1:0", "127.0.0.1:0", true),
    ("[::1]:80", "[::1]:80", true), ("0.0.0.0:9464", "0.0.0.0:9464", false),
    ("192.168.1.5:1", "192.168.1.5:1", false),
  ])
  func anAddressIsRead(_ text: String, _ address: String, _ isLoopback: Bool) throws {
    let found = try #require(ListeningAddress(text))
    #expect(found.socketAddress.description == address)
    #expect(found.isLoopback == isLoopback)
  }

  @Test(arguments: ["", "9464", "localhost:9464", ":", ":70000", "127.0.0.1", "[::1]", ":-1"])
  func anythingElseIsRefused(_ text: String) {
    #expect(ListeningAddress(text) == nil)
  }
}
