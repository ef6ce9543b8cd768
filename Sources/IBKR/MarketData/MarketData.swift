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
    withField(field) { content, place in
      MarketDataValue(content: content, isText: place.kind == .string, kind: field.kind)
    }
  }

  /// The fields that the message carries, in its order.
  public var fields: [(field: MarketDataField, value: MarketDataValue)] {
    message.withBytes { bytes in
      bytes.withUnsafeBytes { raw in
        message.storage.fields[message.record.fields].map { place in
          let field = MarketDataField(place.id)
          let value = MarketDataValue(
            content: place.content(in: raw),
            isText: place.kind == .string,
            kind: field.kind
          )
          return (field, value)
        }
      }
    }
  }

  /// The number of a field, without a text of it.
  private func decimal(_ field: MarketDataField) -> Decimal? {
    withField(field) { content, _ in
      let kind = field.kind
      return kind == .text ? nil : QuoteNumber(content, allowsMark: kind == .price).decimal
    } ?? nil
  }

  /// Gives a field's value; of a repeated key the last one counts.
  private func withField<Result>(
    _ field: MarketDataField,
    _ body: (UnsafeRawBufferPointer, FieldPlace) -> Result
  ) -> Result? {
    let storage = message.storage
    let record = storage.records[message.index]
    for index in record.fields.reversed() where storage.fields[index].id == field.id {
      return storage.bytes.withUnsafeBytes { bytes in
        let message = UnsafeRawBufferPointer(rebasing: bytes[record.payload])
        return body(storage.fields[index].content(in: message), storage.fields[index])
      }
    }
    return nil
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
  public var bid: Decimal? { decimal(.bidPrice) }

  /// The best ask, if it has changed.
  public var ask: Decimal? { decimal(.askPrice) }

  /// The last price, if it has changed.
  public var last: Decimal? { decimal(.lastPrice) }

  /// Whether this is an image of the state and not a market event.
  public var isSnapshot: Bool { message.isSnapshot }
}
