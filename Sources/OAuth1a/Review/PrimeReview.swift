// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto

/// Looks at the Diffie-Hellman parameters (protocol reference, section 2.1).
///
/// The server answers a wrong prime with a token that does not fit, or with `invalid signature`, so
/// everything that can be seen is looked for here.
package enum PrimeReview {
  private static let command = "`openssl asn1parse -in dhparam.pem`"

  /// What is wrong with a prime as it stands in the configuration, nil for nothing.
  ///
  /// Takes some tenths of a second.
  ///
  /// - Parameter text: What should be hexadecimal digits.
  /// - Returns: The first fault.
  package static func fault(inPrime text: String) -> MaterialFault? {
    formFault(text) ?? numberFault(text)
  }

  /// What is wrong with a generator, nil for nothing.
  package static func fault(inGenerator generator: Int) -> MaterialFault? {
    if generator == 2 { return nil }
    return MaterialFault(
      "is not 2, the only one that IBKR takes",
      remedy: "leave IBIND_OAUTH1A_DH_GENERATOR away, and make the parameters with generator 2"
    )
  }

  private static func formFault(_ text: String) -> MaterialFault? {
    if text.isEmpty {
      return MaterialFault(
        "is missing",
        remedy: "set IBIND_OAUTH1A_DH_PRIME to the long hexadecimal number that \(command) shows"
      )
    }
    if text.contains("-----BEGIN") || text.hasPrefix("MII") {
      return MaterialFault(
        "is the PEM text of the parameters",
        remedy: "give the hexadecimal digits of the prime in it: \(command) shows them"
      )
    }
    if text.hasSuffix(".pem") || text.contains("/") {
      return MaterialFault(
        "is a file's name",
        remedy: "give the hexadecimal digits of the prime in it: \(command) shows them"
      )
    }
    if text.contains(":") {
      return MaterialFault("has colons between its digits", remedy: "remove them")
    }
    if text.hasPrefix("0x") || text.hasPrefix("0X") {
      return MaterialFault("begins with 0x", remedy: "remove the 0x")
    }
    if text.contains(where: \.isWhitespace) {
      return MaterialFault(
        "has spaces or line ends in it",
        remedy: "write all digits in one line, without anything between them"
      )
    }
    if let fault = TokenReview.fault(aroundText: text) { return fault }
    guard TokenReview.isHexadecimal(text) else {
      return MaterialFault(
        "has characters that are no hexadecimal digits",
        remedy: "give the long number that \(command) shows, and nothing else"
      )
    }
    return nil
  }

  private static func numberFault(_ text: String) -> MaterialFault? {
    guard let number = try? UnsignedInteger(hexadecimal: text) else { return nil }
    let again = "copy it again: \(command) shows it"
    // 617 decimal digits are the same characters as 617 hexadecimal ones, and 2466 bits of them.
    if text.utf8.count == 617 || text.utf8.count == 616,
      text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    {
      return MaterialFault("is written in decimal", remedy: "write it in hexadecimal")
    }
    guard number.bitCount == 2048 else {
      let isClose = (2000..<2048).contains(number.bitCount)
      return MaterialFault(
        "has \(number.bitCount) bits, not 2048" + (isClose ? ": digits are missing" : ""),
        remedy: isClose ? again : "make new parameters with `ibkr auth setup` and upload them",
        isGrave: !(1024...8192).contains(number.bitCount) || isClose
      )
    }
    guard number.isOdd else {
      return MaterialFault("is an even number: its end is cut or mistyped", remedy: again)
    }
    // Without memory nothing can be said, and nothing is.
    guard (try? number.isProbablySafePrime()) == false else { return nil }
    guard (try? number.isProbablyPrime()) == true else {
      return MaterialFault("is no prime number: a digit is mistyped", remedy: again)
    }
    return MaterialFault(
      "is a prime, but not a safe one",
      remedy: "make new parameters with `ibkr auth setup` and upload them",
      isGrave: false
    )
  }
}
