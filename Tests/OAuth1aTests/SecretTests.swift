// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import OAuth1a
import Testing

@Suite struct SecretTests {
  private struct Holder {
    let token: Secret
    let other = 7
  }

  private static let planted = "s3cr3t-value-1234"

  @Test func noWayOfPrintingShowsTheBytes() {
    let secret = Secret(Self.planted)
    var dumped = ""
    dump(Holder(token: secret), to: &dumped)
    let texts = [
      "\(secret)", String(describing: secret), String(reflecting: secret), "\([secret])",
      "\(Holder(token: secret))", String(reflecting: Holder(token: secret)), dumped,
      "\(Optional(secret) as Any)", "\(["key": secret])",
    ]
    for text in texts {
      #expect(text.contains("<redacted>"))
      #expect(!text.contains("s3cr3t"))
      #expect(!text.contains("115, 51"))
    }
    #expect(Mirror(reflecting: secret).children.isEmpty)
  }

  @Test func givesBackWhatWasPutIn() {
    let secret = Secret(Self.planted)
    #expect(secret.exposedText == Self.planted)
    #expect(secret.exposedBytes == Array(Self.planted.utf8))
    #expect(secret.withExposedBytes { $0.count } == Self.planted.utf8.count)
    #expect(secret.withExposedBytes { $0[0] } == UInt8(ascii: "s"))
    #expect(secret.byteCount == 17)
    #expect(Secret("").isEmpty)
    #expect(Secret("").exposedText == "")
    #expect(Secret(bytes: [0, 255]).exposedBytes == [0, 255])
  }

  @Test(arguments: [("", "", true), ("a", "a", true), ("a", "b", false), ("a", "ab", false)])
  func comparesContents(first: String, second: String, equal: Bool) {
    #expect((Secret(first) == Secret(second)) == equal)
  }
}
