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

  /// The instrument; 0 for a combination, which has none.
  public let conid: Int

  /// Reads a message as a quote.
  ///
  /// - Parameter message: Any message; there is no quote in one of another topic, or in an error.
  public init?(_ message: Message) {
    guard message.topic == .marketData, message.direction == .inbound,
      !message.record.flags.contains(.error)
    else { return nil }
    self.message = message
    conid = message.conid ?? 0
  }

  /// The value of a field, nil if the message does not carry it.
  ///
  /// - Parameter field: The field.
  public subscript(field: MarketDataField) -> MarketDataValue? {
    message.withBytes { bytes in
      bytes.withUnsafeBytes { raw in
        var scanner = JSONScanner(raw)
        var value: MarketDataValue?
        while let member = scanner.nextMember() {
          guard scanner.fieldID(of: member) == field.id else { continue }
          value = MarketDataValue(
            content: scanner.bytes(member.content),
            isText: member.kind == .string,
            kind: field.description?.kind
          )
        }
        return value
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
          guard let id = scanner.fieldID(of: member) else { continue }
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

  /// A value that is no field of IBKR's, by its name: `87_raw`, the volume as a number, which older
  /// servers send; nil if the message does not carry it.
  ///
  /// - Parameter name: The name.
  public subscript(named name: String) -> MarketDataValue? {
    guard let value = message.tree?[name], let text = value.string else { return nil }
    var content = text
    return content.withUTF8 {
      MarketDataValue(content: UnsafeRawBufferPointer($0), isText: false, kind: .number)
    }
  }

  /// The instrument as it was asked for, with the exchange or the legs: `265598@ARCA`; older servers
  /// do not say.
  public var target: String? { self[named: "conidEx"]?.text }

  /// The best bid, if it has changed.
  public var bid: Decimal? { self[.bidPrice]?.decimal }

  /// The best ask, if it has changed.
  public var ask: Decimal? { self[.askPrice]?.decimal }

  /// The last price, if it has changed.
  public var last: Decimal? { self[.lastPrice]?.decimal }

  /// Whether this is an image of the state and not a market event.
  public var isSnapshot: Bool { message.isSnapshot }
}
