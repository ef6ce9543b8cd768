// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import JSON

/// A quote: the fields that one market-data message carries.
///
/// Only what has changed since the message before is in it; a field that is missing is as it was.
/// Nothing is decoded before it is asked for.
public struct MarketData: Sendable {
  /// The message, with its bytes, number and times.
  public let message: Message

  /// The instrument.
  public let conid: Int

  /// Reads a message as a quote.
  ///
  /// - Parameter message: Any message; there is no quote in one of another topic, or in an error.
  public init?(_ message: Message) {
    guard message.topic == .marketData, message.direction == .inbound, let conid = message.conid
    else { return nil }
    self.message = message
    self.conid = conid
  }

  /// The value of a field, nil if the message does not carry it.
  ///
  /// - Parameter field: The field.
  public subscript(field: MarketDataField) -> MarketDataValue? {
    message.withBytes { bytes in
      bytes.withUnsafeBytes { raw in
        var scanner = JSONScanner(raw)
        while let member = scanner.nextMember() {
          guard member.key.number == field.id else { continue }
          return MarketDataValue(
            content: scanner.bytes(member.content),
            isText: member.kind == .string,
            kind: field.description?.kind
          )
        }
        return nil
      }
    }
  }

  /// The fields that the message carries, in its order.
  public var fields: [(field: MarketDataField, value: MarketDataValue)] {
    message.withBytes { bytes in
      bytes.withUnsafeBytes { raw in
        var scanner = JSONScanner(raw)
        var fields: [(field: MarketDataField, value: MarketDataValue)] = []
        while let member = scanner.nextMember() {
          guard let id = member.key.number else { continue }
          let field = MarketDataField(id)
          let value = MarketDataValue(
            content: scanner.bytes(member.content),
            isText: member.kind == .string,
            kind: field.description?.kind
          )
          fields.append((field, value))
        }
        return fields
      }
    }
  }

  /// The best bid, if it has changed.
  public var bid: Decimal? { self[.bidPrice]?.decimal }

  /// The best ask, if it has changed.
  public var ask: Decimal? { self[.askPrice]?.decimal }

  /// The last price, if it has changed.
  public var last: Decimal? { self[.lastPrice]?.decimal }

  /// Whether this is an image of the state and not a market event.
  public var isSnapshot: Bool { message.isSnapshot }
}
