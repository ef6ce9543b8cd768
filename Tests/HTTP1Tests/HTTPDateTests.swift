// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import Testing

@Suite struct HTTPDateTests {
  @Test(
    arguments: [
      // The example of RFC 9110 §5.6.7 in its three forms.
      ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
      ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
      ("Sun Nov  6 08:49:37 1994", 784_111_777),
      ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
      ("Tue, 29 Feb 2028 23:59:59 GMT", 1_835_481_599),
      ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
      ("Mon, 23 Nov 2026 23:16:16 GMT", 1_795_475_776),
      ("Wed, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
    ] as [(String, Int64)]
  )
  func `A date is read`(text: String, seconds: Int64) {
    #expect(HTTPDate.seconds(of: text) == seconds)
  }

  @Test(arguments: [
    "", "0", "120", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
    "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 19940 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT", "Sun, -6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT GMT", String(repeating: "Sun, ", count: 40),
  ])
  func `What is no date is none`(text: String) {
    #expect(HTTPDate.seconds(of: text) == nil)
  }
}
