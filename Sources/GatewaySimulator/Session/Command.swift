// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// A text that a client sent through the socket, taken apart.
enum Command: Equatable {
  case tic
  case echo
  /// `{"session":"…"}`, the answer to `waiting for session`.
  case session(String)
  case marketData(target: String, conid: Int, fields: [Int])
  case endMarketData(target: String)
  /// A feed of the account: `sor`, `str`, `spl`, `ssd`, `sld`, or one's end.
  case account(topic: String, target: String)
  /// Bars, once; the server keeps the request open.
  case history(target: String, arguments: String)
  case endHistory(id: String)
  /// An order book.
  case ladder(account: String, target: String)
  case endLadder(account: String)
  /// A known topic with arguments that the server answers with silence.
  case ignored
  /// Anything else; the server quotes its first three characters.
  case unknown(String)

  /// Reads a command as the protocol reference, section 4.1, has the grammar.
  init(_ text: String) {
    let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
    let target = parts.count > 1 ? String(parts[1]) : ""
    switch String(parts[0]) {
    case "tic": self = .tic
    case "ech": self = .echo
    case "smd": self = Self.marketData(target: target, arguments: parts.count > 2 ? parts[2] : "")
    case "umd": self = .endMarketData(target: target)
    case "sor", "uor", "str", "utr", "spl", "upl", "ssd", "usd", "sld", "uld":
      self = .account(topic: String(parts[0]), target: target)
    case "smh": self = .history(target: target, arguments: parts.count > 2 ? String(parts[2]) : "")
    case "umh": self = .endHistory(id: target)
    case "sbd" where parts.count > 2: self = .ladder(account: target, target: String(parts[2]))
    case "ubd": self = .endLadder(account: target)
    case "sbd", "shs", "inp": self = .ignored
    default:
      if let session = (try? JSONValue(parsing: Array(text.utf8)))?["session"]?.string {
        self = .session(session)
      } else {
        self = .unknown(String(text.prefix(3)))
      }
    }
  }

  private static func marketData(target: String, arguments: Substring) -> Command {
    guard let conid = Int(target.prefix { $0 != "@" }), conid > 0 else { return .ignored }
    guard let fields = (try? JSONValue(parsing: Array(arguments.utf8)))?["fields"]?.elements else {
      return .ignored
    }
    // A field may be asked for twice; one above the limit is not known anyway.
    var numbers: [Int] = []
    for field in fields.prefix(200) {
      guard let number = field.string.flatMap({ Int($0) }), !numbers.contains(number) else {
        continue
      }
      numbers.append(number)
    }
    return .marketData(target: target, conid: conid, fields: numbers)
  }
}
