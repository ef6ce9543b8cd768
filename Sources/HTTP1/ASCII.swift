// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Byte classes of the HTTP grammar (RFC 9110 §5.6) and case folding, all on single bytes.
extension UInt8 {
  package static let horizontalTab: UInt8 = 0x09
  package static let lineFeed: UInt8 = 0x0A
  package static let carriageReturn: UInt8 = 0x0D
  package static let space: UInt8 = 0x20

  package var isASCIIDigit: Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= self }

  package var isASCIILetter: Bool {
    UInt8(ascii: "a")...UInt8(ascii: "z") ~= self | 0x20
  }

  /// The byte itself, or its lower case form if it is an ASCII upper case letter.
  package var asciiLowercased: UInt8 {
    UInt8(ascii: "A")...UInt8(ascii: "Z") ~= self ? self | 0x20 : self
  }

  /// `OWS` (RFC 9110 §5.6.3): space or horizontal tab.
  package var isOptionalWhitespace: Bool { self == .space || self == .horizontalTab }

  /// `tchar` (RFC 9110 §5.6.2): what names, methods and tokens are made of.
  package var isTokenCharacter: Bool {
    if isASCIIDigit || isASCIILetter { return true }
    switch self {
    case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"),
      UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
      UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"),
      UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
      return true
    default:
      return false
    }
  }

  /// `field-vchar`, space or tab (RFC 9110 §5.5): what a field value is made of.
  ///
  /// CR, LF and NUL are the ones that matter: with them a value could end its line and forge
  /// another one.
  package var isFieldValueCharacter: Bool {
    self >= 0x20 && self != 0x7F || self == .horizontalTab
  }

  /// The value of a hexadecimal digit, or nil.
  package var hexadecimalValue: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// The byte as `0x1f`, for error texts: harmless in a log, whatever it is.
  var hexadecimalName: String {
    "0x" + (self < 16 ? "0" : "") + String(self, radix: 16)
  }
}

extension StringProtocol {
  /// Whether the text is a `token` (RFC 9110 §5.6.2).
  package var isHTTPToken: Bool {
    !isEmpty && utf8.allSatisfy(\.isTokenCharacter)
  }

  /// Compares two texts as HTTP compares names and tokens: without regard to ASCII case.
  ///
  /// - Parameter other: The text to compare with.
  /// - Returns: Whether the two differ in nothing but the case of the letters A to Z.
  package func equalsIgnoringASCIICase(_ other: some StringProtocol) -> Bool {
    utf8.count == other.utf8.count
      && zip(utf8, other.utf8).allSatisfy { $0.asciiLowercased == $1.asciiLowercased }
  }

  /// The text with the letters A to Z in lower case and everything else as it was.
  package var asciiLowercased: String {
    String(decoding: utf8.map(\.asciiLowercased), as: UTF8.self)
  }
}
