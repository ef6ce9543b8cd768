// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import IBKR
import JSON
import Logging

/// `ibkr search`: what is traded.
struct SearchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Search for stocks, indices and the roots of futures, by symbol or name.",
    discussion: """
      Examples:
        ibkr search apple --simulate
        ibkr search SPX --json | jq .conid

      The first column is what to write behind record and stream. Options and futures are named by \
      their own symbols: ESZ6@CME, AAPL261218C00250000.
      """
  )

  @Argument(help: "A symbol, or a word of a company's name; case does not matter.")
  var text: String

  @Flag(help: "One JSON object per line, as in a pipe.")
  var json = false

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup(title: "Logging") var log: LogOptions

  func validate() throws {
    guard text.contains(where: { !$0.isWhitespace }), text.utf8.count <= 64 else {
      throw ValidationError("give a symbol or a word of a name, as: ibkr search apple")
    }
  }

  func run() async throws {
    let logger = log.logger(unlessAsked: .warning)
    let stop = try Stop()
    let found = try await stop.unlessAsked { [connection, text] in
      try await connection.withClient(logger: logger) { client in
        try await connection.openBrokerageSession(of: client)
        return try await client.search(text)
      }
    }
    guard let found else { return }
    guard !found.isEmpty else {
      throw ValidationError(
        "nothing has '\(text)' as its symbol or in its name: try a shorter part of the name"
      )
    }
    let isTable = !json && isatty(STDOUT_FILENO) == 1
    Output.write(isTable ? Self.table(found) : found.map(Self.line).joined(), to: STDOUT_FILENO)
  }

  static func table(_ found: [InstrumentMatch]) -> String {
    let instruments = found.map(\.instrument)
    var table = TextTable([
      ("symbol", .left), ("conid", .right), ("type", .left), ("exchange", .left), ("name", .left),
      ("also", .left),
    ])
    for match in found {
      let instrument = match.instrument
      let others = match.sections.filter { ["OPT", "FUT"].contains($0.securityType) }.map {
        $0.securityType + " " + $0.months.prefix(4).joined(separator: " ")
      }
      let isSole = instruments.count { $0.symbol == instrument.symbol } == 1
      table.append([
        ShellWord.quoted(isSole ? instrument.symbol : instrument.word(among: instruments)),
        "\(instrument.conid)", instrument.securityType ?? "", instrument.exchange ?? "",
        instrument.name ?? "", others.joined(separator: ", "),
      ])
    }
    return table.text
  }

  private static func line(_ match: InstrumentMatch) -> String {
    let sections = match.sections.map { section -> JSONValue in
      [
        "sec_type": .string(section.securityType),
        "months": .array(section.months.map { .string($0) }),
        "exchanges": .array(section.exchanges.map { .string($0) }),
      ]
    }
    var members = (match.instrument.json.members ?? []).filter {
      // The search does not tell these.
      !["currency", "multiplier", "tick_size", "is_us"].contains($0.key)
    }
    members.append(JSONValue.Member(key: "sections", value: .array(sections)))
    return JSONValue.object(members).text + "\n"
  }
}
