// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Something in a frame that a client must be able to bear, whether a server was seen to send it or
/// not.
public enum Oddity: String, Sendable, Hashable, CaseIterable {
  /// Texts that are no JSON: cut off, with something behind, with a wrong escape.
  case wrongJSON = "wrong-json"
  /// JSON that is no object, has no topic, or one that nobody knows.
  case unknownMessages = "unknown-messages"
  /// A binary message with a byte that is not UTF-8; IBKR was seen to send 0x99.
  case notUTF8Binary = "not-utf8-binary"
  /// The same in a text message, for which RFC 6455 wants the connection to be failed.
  case notUTF8Text = "not-utf8-text"
  /// `act` with 40,000 accounts: more than a megabyte.
  case hugeAccounts = "huge-accounts"
  /// 277 messages of `str` at once, every execution two or three times, as was recorded.
  case tradesBurst = "trades-burst"
  /// Messages without a byte.
  case emptyMessages = "empty-messages"
  /// JSON with a thousand brackets in each other.
  case deepJSON = "deep-json"
  /// A ping, which no server of IBKR was seen to send.
  case ping

  /// The frames of it.
  func frames(_ account: Account) -> [SocketOutput] {
    switch self {
    case .wrongJSON:
      Self.wrong.map { .message($0) }
    case .unknownMessages:
      Self.unknown.map { .message($0) }
    case .notUTF8Binary: [.odd(.binary(Self.notUTF8))]
    case .notUTF8Text: [.odd(.text(Self.notUTF8))]
    case .hugeAccounts: [.message(Self.accounts(40_000))]
    case .tradesBurst: Self.trades(account.accountID).map { .message($0) }
    case .emptyMessages: [.odd(.binary([])), .odd(.text([])), .odd(.binary([]))]
    case .deepJSON:
      [
        .message(
          String(repeating: "[", count: 1_000) + String(repeating: "]", count: 1_000)
        )
      ]
    case .ping: [.odd(.ping(Array("are you there".utf8)))]
    }
  }

  private static let wrong = [
    #"{"topic":"smd+265598","conid":265598,"31":"27"#,
    #"{"topic":"system","hb":1777415611502}}"#,
    #"{"topic":"smd+265598","conid":265598,"31":"\u12"}"#,
    #"{'topic':'smd+265598'}"#,
    "Internal Server Error",
    "<html><body><h1>Resource not found</h1></body></html>",
  ]

  private static let unknown = [
    #"[{"topic":"system","hb":1}]"#, "null", "17", #""hb""#, "{}",
    #"{"topic":"xyz+1","args":{"a":[1,2,{"b":null}]}}"#,
    #"{"topic":17,"conid":"265598"}"#,
  ]

  private static let notUTF8 =
    Array(#"{"topic":"blt","args":[{"id":1,"exchanges":null,"message":"5"#.utf8) + [0x99, 0xFF]
    + Array(#"00"}]}"#.utf8)

  private static func accounts(_ count: Int) -> String {
    let names = (0..<count).map { "\"DU\(1_000_000 + $0)\"" }
    let aliases = names.map { "\($0):\($0)" }.joined(separator: ",")
    return #"{"topic":"act","args":{"accounts":[\#(names.joined(separator: ","))],"aliases":{"#
      + aliases + #"},"selectedAccount":"DU1000000","isFT":false,"isPaper":true}}"#
  }

  /// What was recorded: without and with `commission`, and some once more with the exchange.
  private static func trades(_ account: String) -> [String] {
    (0..<277).map { number in
      let execution = number % 2 == 0 ? number / 2 : (number - 1) / 2
      let commission = number % 2 == 0 ? "" : #""commission":"1.0","#
      let exchange = execution % 4 == 3 ? "@DARK" : ""
      return #"{"topic":"str","args":[{"execution_id":"0001390e.69f21453.\#(execution).01","#
        + #""symbol":"AAPL","supports_tax_opt":"1","side":"B","#
        + #""order_description":"Bot 2 @ 248.60 on NASDAQ","trade_time":"20260429-14:29:34","#
        + #""trade_time_r":1777472974000,"size":2.0,"price":"248.60","exchange":"NASDAQ","#
        + commission + #""net_amount":497.2,"account":"\#(account)","accountCode":"\#(account)","#
        + #""company_name":"APPLE INC","sec_type":"STK","listing_exchange":"NASDAQ.NMS","#
        + #""conid":265598,"conidEx":"265598\#(exchange)","position":"2","order_id":96335105}]}"#
    }
  }
}
