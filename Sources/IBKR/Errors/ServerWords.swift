// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A server's own words, made fit for an error text.
///
/// The server may name accounts, tokens and users in what it says (protocol reference 2.8), so
/// whatever looks like one is left out; and it may say anything at all, so it is cut short and
/// holds no control characters.
enum ServerWords {
  private static let longest = 200

  /// The text without what may be secret.
  static func sanitized(_ text: String) -> String {
    let scalars = text.unicodeScalars.prefix(longest * 2)
    var result = ""
    var word = ""
    func flush() {
      result += looksSecret(word) ? "<redacted>" : word
      word = ""
    }
    for scalar in scalars {
      if scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_" {
        word.unicodeScalars.append(scalar)
      } else {
        flush()
        result.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? " " : scalar)
      }
    }
    flush()
    return result.count > longest ? result.prefix(longest) + "…" : result
  }

  /// Account numbers (`U1234567`, `DU1234567`), user names with numbers, tokens, session ids.
  private static func looksSecret(_ word: String) -> Bool {
    let digits = word.utf8.count { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    let letters = word.utf8.count - digits
    return word.utf8.count >= 16 && digits > 0 || letters > 0 && digits >= 3
  }
}
