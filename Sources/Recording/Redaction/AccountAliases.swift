// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The accounts of a run and what they are called instead: `acct-1`, `acct-2`, in the order in
/// which they were met.
struct AccountAliases {
  private var aliases: [[UInt8]: [UInt8]] = [:]

  /// What to call an account; from then on it is known.
  mutating func alias(for account: some Collection<UInt8>) -> [UInt8] {
    let account = Array(account)
    if let alias = aliases[account] { return alias }
    let alias = Array("acct-\(aliases.count + 1)".utf8)
    aliases[account] = alias
    return alias
  }

  /// Replaces the known accounts in a text, where they stand as words of their own.
  ///
  /// - Parameter text: Any bytes.
  /// - Returns: The text with aliases, nil if there was nothing to replace.
  func replacingAccounts(in text: some Collection<UInt8>) -> [UInt8]? {
    guard !aliases.isEmpty else { return nil }
    var replaced: [UInt8] = []
    var found = false
    var rest = text[...]
    while let first = rest.first {
      guard Self.isWordByte(first) else {
        replaced.append(first)
        rest.removeFirst()
        continue
      }
      let word = rest.prefix(while: Self.isWordByte)
      if let alias = aliases[Array(word)] {
        replaced += alias
        found = true
      } else {
        replaced += word
      }
      rest = rest[word.endIndex...]
    }
    return found ? replaced : nil
  }

  /// What account ids are made of.
  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}
