// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Flow
import Glibc
import IBKR
import JSON
import Logging

/// `ibkr instrument`: one contract.
struct InstrumentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "instrument",
    abstract: "Look at one contract.",
    discussion: """
      Examples:
        ibkr instrument show AAPL
      """,
    subcommands: [InstrumentShowCommand.self]
  )
}

/// `ibkr instrument show`: everything that the server tells of a contract.
struct InstrumentShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show what a symbol stands for: contract, price steps, and trading hours.",
    discussion: """
      Examples:
        ibkr instrument show AAPL --simulate
        ibkr instrument show 265598 --json | jq .tick_size
      """
  )

  @Argument(help: "A symbol or conid, as behind record and stream.")
  var symbol: String

  @Flag(help: "Print one JSON object, as in a pipe.")
  var json = false

  @OptionGroup var cache: CacheOptions
  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup(title: "Logging") var log: LogOptions

  func validate() throws {
    do {
      _ = try InstrumentName(symbol)
    } catch {
      throw ValidationError("\(error)")
    }
  }

  func run() async throws {
    let logger = log.logger(unlessAsked: .warning)
    let name = try InstrumentName(symbol)
    let lookUp = InstrumentLookUp(
      options: cache,
      isSimulated: connection.simulate,
      logger: logger
    )
    let stop = try Stop()
    let found = try await stop.unlessAsked { [connection] in
      try await connection.withClient(logger: logger) { client in
        try await connection.openBrokerageSession(of: client)
        let instrument = try await lookUp.instruments([name], with: client)[0]
        let details = try await client.contractDetails(of: instrument.conid)
        // Not everything has hours: bonds and pairs of currencies may have none.
        let hours = try? await client.tradingHours(of: instrument.conid, exchange: name.exchange)
        return (instrument, details, hours)
      }
    }
    guard let (instrument, details, hours) = found else { return }
    let isText = !json && isatty(STDOUT_FILENO) == 1
    Output.write(
      isText
        ? Self.text(instrument, details, hours)
        : Self.object(instrument, details, hours).text + "\n",
      to: STDOUT_FILENO
    )
  }

  static func text(
    _ instrument: Instrument,
    _ details: ContractDetails,
    _ hours: TradingHours?
  ) -> String {
    let steps = details.priceSteps.map { "\($0.step) from \($0.from)" }
    let sessions = (hours?.sessions ?? []).prefix(6).map(time)
    let rows: [(String, String?)] = [
      ("symbol", instrument.symbol), ("conid", "\(instrument.conid)"), ("name", instrument.name),
      ("type", instrument.securityType), ("exchange", instrument.exchange),
      ("currency", instrument.currency ?? details.instrument.currency),
      ("local symbol", details.localSymbol), ("trading class", details.tradingClass),
      ("multiplier", (instrument.multiplier ?? details.instrument.multiplier).map { "\($0)" }),
      ("contract month", details.contractMonth), ("last day", details.maturity),
      ("underlying", details.underlyingConid.map { "\($0)" }),
      ("price steps", steps.isEmpty ? nil : steps.joined(separator: ", ")),
      ("orders", details.orderTypes.isEmpty ? nil : details.orderTypes.joined(separator: " ")),
      ("exchanges", details.exchanges.isEmpty ? nil : details.exchanges.joined(separator: " ")),
      ("industry", details.industry), ("time zone", hours?.timeZone),
      ("open (UTC)", sessions.isEmpty ? nil : sessions.joined(separator: "\n")),
    ]
    let width = 16
    return rows.map { head, value in
      guard let value else { return "" }
      let lines = value.split(separator: "\n").enumerated().map { index, line in
        let label = index == 0 ? head : ""
        return label + String(repeating: " ", count: width - label.count) + line + "\n"
      }
      return lines.joined()
    }
    .joined()
  }

  static func object(
    _ instrument: Instrument,
    _ details: ContractDetails,
    _ hours: TradingHours?
  ) -> JSONValue {
    func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    let steps = details.priceSteps.map { step -> JSONValue in
      ["from": .number("\(step.from)"), "step": .number("\(step.step)")]
    }
    let sessions = (hours?.sessions ?? []).map { session -> JSONValue in
      ["opening": .number("\(session.opening)"), "closing": .number("\(session.closing)")]
    }
    var whole = instrument
    whole.currency = instrument.currency ?? details.instrument.currency
    whole.multiplier = instrument.multiplier ?? details.instrument.multiplier
    whole.tickSize = instrument.tickSize ?? details.instrument.tickSize
    let more: JSONValue = [
      "local_symbol": text(details.localSymbol), "trading_class": text(details.tradingClass),
      "contract_month": text(details.contractMonth), "maturity": text(details.maturity),
      "underlying_conid": details.underlyingConid.map { .number("\($0)") } ?? .null,
      "exchanges": .array(details.exchanges.map { .string($0) }),
      "price_steps": .array(steps),
      "order_types": .array(details.orderTypes.map { .string($0) }),
      "time_zone": text(hours?.timeZone), "sessions": .array(sessions),
    ]
    return .object((whole.json.members ?? []) + (more.members ?? []))
  }

  /// `2026-11-24 14:30 to 21:00`, or with the day on both sides.
  private static func time(_ session: TradingHours.Session) -> String {
    func parts(_ seconds: Int64) -> (day: String, time: String) {
      let realtime = seconds * 1_000_000_000
      let time = UTCTime(realtime: realtime).description
      return (UTCDate(realtime: realtime).description, String(time.dropFirst(11).prefix(5)))
    }
    let (opening, closing) = (parts(session.opening), parts(session.closing))
    let end = opening.day == closing.day ? closing.time : "\(closing.day) \(closing.time)"
    return "\(opening.day) \(opening.time) to \(end)"
  }
}
