// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import JSON

/// What symbols have been found to stand for, to be asked for once a day and not at every start.
///
/// One JSON object per line: the server, the name as it was typed, the instrument, and when it was
/// looked up. There is no secret in it, and whatever cannot be read is looked up again.
struct InstrumentCache {
  /// After how many seconds a line counts no longer.
  static let age: Int64 = 86_400
  /// How many names are kept.
  static let capacity = 20_000

  private struct Entry {
    let instrument: Instrument
    let time: Int64
  }

  private struct Key: Hashable {
    let server: String
    let name: String
  }

  private var entries: [Key: Entry] = [:]
  /// How many lines could not be read.
  private(set) var damagedLines = 0

  /// An empty cache.
  init() {}

  /// Reads a cache.
  ///
  /// - Parameters:
  ///   - text: The file.
  ///   - now: Seconds since 1970; what is older than a day, or of the future, is left out.
  init(_ text: String, now: Int64) {
    for line in text.split(whereSeparator: \.isNewline) {
      guard let value = try? JSONValue(parsing: Array(line.utf8)),
        let server = value["server"]?.string, let name = value["asked"]?.string,
        let time = value["looked_up"]?.int.map({ Int64($0) }), let instrument = Instrument(value)
      else {
        damagedLines += 1
        continue
      }
      guard (0..<Self.age).contains(now - time) else { continue }
      entries[Key(server: server, name: name)] = Entry(instrument: instrument, time: time)
    }
  }

  /// The instrument that a name stands for.
  subscript(name: InstrumentName, server: String) -> Instrument? {
    entries[Key(server: server, name: name.description)]?.instrument
  }

  /// Remembers what a name stands for.
  mutating func insert(
    _ instrument: Instrument,
    for name: InstrumentName,
    at server: String,
    now: Int64
  ) {
    // A conid whose symbol could not be found is asked for again next time.
    guard instrument.securityType != nil else { return }
    entries[Key(server: server, name: name.description)] = Entry(instrument: instrument, time: now)
  }

  /// The file, the newest lines first.
  var text: String {
    let newest = entries.sorted {
      ($1.value.time, $0.key.name, $0.key.server) < ($0.value.time, $1.key.name, $1.key.server)
    }
    return newest.prefix(Self.capacity).map { key, entry in
      let line: [JSONValue.Member] =
        [
          JSONValue.Member(key: "server", value: .string(key.server)),
          JSONValue.Member(key: "asked", value: .string(key.name)),
          JSONValue.Member(key: "looked_up", value: .number("\(entry.time)")),
        ] + (entry.instrument.json.members ?? [])
      return JSONValue.object(line).text + "\n"
    }
    .joined()
  }
}

extension Instrument {
  /// The instrument as an object, as `ibkr search` and the cache have it.
  var json: JSONValue {
    func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    func number(_ value: Decimal?) -> JSONValue { value.map { .number("\($0)") } ?? .null }
    return [
      "conid": .number("\(conid)"), "symbol": .string(symbol), "name": text(name),
      "exchange": text(exchange), "currency": text(currency), "sec_type": text(securityType),
      "multiplier": number(multiplier), "tick_size": number(tickSize),
      "is_us": isUS.map { .bool($0) } ?? .null,
    ]
  }

  /// Reads an object that ``json`` has made; nil without conid and symbol.
  init?(_ value: JSONValue) {
    guard let conid = value["conid"]?.int, conid > 0, let symbol = value["symbol"]?.string,
      !symbol.isEmpty
    else { return nil }
    self.init(
      conid: conid,
      symbol: symbol,
      name: value["name"]?.string,
      exchange: value["exchange"]?.string,
      securityType: value["sec_type"]?.string,
      isUS: value["is_us"]?.bool,
      currency: value["currency"]?.string,
      multiplier: value["multiplier"]?.decimal,
      tickSize: value["tick_size"]?.decimal
    )
  }
}
