// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto

/// Looks at names and tokens as their owner has copied them (protocol reference, section 2.1).
package enum TokenReview {
  private static let page = "IBKR's self-service OAuth page"

  /// What is wrong with a consumer key, nil for nothing.
  package static func fault(inConsumerKey text: String) -> MaterialFault? {
    let remedy = "copy the nine capital letters from \(page)"
    if text.isEmpty { return MaterialFault("is missing", remedy: remedy) }
    if let fault = fault(aroundText: text) { return fault }
    let isLetters = text.utf8.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
    if isLetters, text.utf8.count == 9 || text == "TESTCONS" { return nil }
    if text.utf8.allSatisfy({ ($0 & 0xDF) >= 0x41 && ($0 & 0xDF) <= 0x5A }), !isLetters {
      return MaterialFault("has lower-case letters", remedy: "write it in capitals")
    }
    let what =
      isLetters
      ? "has \(text.utf8.count) letters, not nine" : "is not made of capital letters only"
    return MaterialFault(what, remedy: remedy)
  }

  /// What is wrong with an access token, nil for nothing.
  package static func fault(inAccessToken token: Secret) -> MaterialFault? {
    let text = token.exposedText
    let remedy = "copy the 20 hexadecimal digits called Access Token from \(page)"
    if text.isEmpty { return MaterialFault("is missing", remedy: remedy) }
    if let fault = fault(aroundText: text) { return fault }
    if isHexadecimal(text), text.utf8.count == 20 { return nil }
    if text.utf8.count > 100 {
      return MaterialFault(
        "looks like the access token secret",
        remedy: "exchange IBIND_OAUTH1A_ACCESS_TOKEN and IBIND_OAUTH1A_ACCESS_TOKEN_SECRET"
      )
    }
    let isUsable = text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x22 && $0 != 0x2c }
    return MaterialFault(
      "is \(text.utf8.count) characters and not 20 hexadecimal digits",
      remedy: remedy,
      isGrave: !isUsable
    )
  }

  /// What is wrong with the form of an access token secret, nil for nothing.
  package static func fault(inAccessTokenSecret secret: Secret) -> MaterialFault? {
    let text = secret.exposedText
    let remedy = "copy the whole base64 text called Access Token Secret from \(page)"
    if text.isEmpty { return MaterialFault("is missing", remedy: remedy) }
    if let fault = fault(aroundText: text) { return fault }
    if isHexadecimal(text), text.utf8.count == 20 {
      return MaterialFault(
        "looks like the access token",
        remedy: "exchange IBIND_OAUTH1A_ACCESS_TOKEN and IBIND_OAUTH1A_ACCESS_TOKEN_SECRET"
      )
    }
    if isHexadecimal(text), [64, 128].contains(text.utf8.count) {
      return MaterialFault("looks decrypted already", remedy: remedy)
    }
    guard let bytes = try? Base64.decode(text) else {
      return MaterialFault("is cut, or no base64", remedy: remedy)
    }
    if bytes.count == 256 { return nil }
    // Another length belongs to keys of another size, which the keys' own review tells of.
    let isOfSomeKey = [64, 128, 384, 512].contains(bytes.count)
    return MaterialFault(
      "is \(bytes.count) bytes, not the 256 of a 2048-bit key",
      remedy: remedy,
      isGrave: !isOfSomeKey
    )
  }

  /// What is wrong with a realm, nil for nothing.
  package static func fault(inRealm realm: String, consumerKey: String) -> MaterialFault? {
    if consumerKey == "TESTCONS" {
      if realm == "test_realm" { return nil }
      return MaterialFault(
        "is not test_realm, the one of TESTCONS",
        remedy: "set IBIND_OAUTH1A_REALM=test_realm"
      )
    }
    if realm == "limited_poa" { return nil }
    return MaterialFault(
      "is not limited_poa, the one of every consumer key but TESTCONS",
      remedy: "leave IBIND_OAUTH1A_REALM away, or set it to limited_poa"
    )
  }

  /// What comes along when a text is copied.
  static func fault(aroundText text: String) -> MaterialFault? {
    if let first = text.first, let last = text.last {
      if first.isWhitespace || last.isWhitespace {
        return MaterialFault(
          "has a space or line end at its start or end",
          remedy: "remove it"
        )
      }
      if text.count > 1, first == last, first == "\"" || first == "'" {
        return MaterialFault(
          "stands in quotation marks",
          remedy: "remove them: docker and systemd keep them as a part of the value"
        )
      }
    }
    if text.hasPrefix("<") || text.hasPrefix("your") || text.contains("…") {
      return MaterialFault("is still the template's text", remedy: "fill in your own")
    }
    return nil
  }

  static func isHexadecimal(_ text: String) -> Bool {
    !text.isEmpty && text.unicodeScalars.allSatisfy { $0.properties.isASCIIHexDigit }
  }
}
