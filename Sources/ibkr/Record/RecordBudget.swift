// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import IBKR
import JSON
import Flow
import Logging
import Recording
import Transport

/// `ibkr record --dry-run`: what would be recorded, where, and what it would take.
struct RecordBudget {
  private let command: RecordCommand

  init(_ command: RecordCommand) {
    self.command = command
  }

  /// Looks symbols up, as far as that needs asking, and prints the budget; nothing is written.
  func run() async throws {
    let logger = command.log.logger(unlessAsked: .warning)
    let names = try command.instruments.names()
    let now = EventLoop.realtime
    let end = try command.limits.moment(after: now)
    let stop = try Stop()
    let found = try await stop.unlessAsked { [command] in
      try await Self.lookUp(names, command, logger)
    }
    guard let found else { return }
    let lines = StreamConfiguration().marketDataLines
    let budget = Budget(
      directory: command.directory,
      instruments: zip(names, found.instruments).map { name, instrument in
        let exchange = name.conid == nil ? nil : name.exchange
        let name = exchange.map { "\(instrument.symbol)@\($0)" } ?? instrument.symbol
        return (name, exchange, instrument)
      },
      hours: found.hours,
      channels: command.sinkConfiguration.channels.map(\.rawValue).sorted(),
      lines: lines,
      estimate: DiskEstimate(command.directory, compresses: command.compress == .gz),
      end: end ?? command.limits.duration.map { now + $0.duration.nanoseconds },
      now: now
    )
    Output.write(command.json ? budget.json.text + "\n" : budget.text, to: STDOUT_FILENO)
  }

  private struct Found: Sendable {
    var instruments: [Instrument]
    var hours: [TradingHours?] = []
  }

  private static func lookUp(
    _ names: [InstrumentName],
    _ command: RecordCommand,
    _ logger: Logger
  ) async throws -> Found {
    let lookUp = InstrumentLookUp(
      options: command.instruments.cache,
      isSimulated: command.connection.simulate,
      logger: logger
    )
    if !command.session, !command.connection.simulate {
      // Where everything is remembered, nobody has to be asked.
      let client = try IbkrClient(configuration: command.connection.configuration(), logger: logger)
      let known = lookUp.remembered(names, of: client.serverOrigin)
      await client.close()
      if let known { return Found(instruments: known) }
    }
    return try await command.connection.withClient(logger: logger) { client in
      try await command.connection.openBrokerageSession(of: client)
      var found = Found(instruments: try await lookUp.instruments(names, with: client))
      guard command.session else { return found }
      for (name, instrument) in zip(names, found.instruments) {
        let exchange = name.conid == nil ? nil : name.exchange
        found.hours.append(try await client.tradingHours(of: instrument.conid, exchange: exchange))
      }
      return found
    }
  }
}

/// What a recording takes of the disk in a day, and where that is known from.
struct DiskEstimate: Hashable {
  /// Bytes of one instrument in an hour.
  let bytesPerHour: Double
  /// How it is known, in words.
  let source: String
  /// Bytes that are free where it would be written; nil if the system does not say.
  let free: Double?
  /// Whether the directory is there already.
  let exists: Bool

  /// The hours of a day in which quotes are thick enough to count: those of a stock exchange.
  static let hours = 6.5
  /// What is assumed where nothing has been recorded: a quote's line in `ch=raw` and in `ch=quote`
  /// together, as the simulator's quotes take it, and what gzip leaves of them.
  static let bytesPerQuote = 900.0
  static let compressed = 0.15
  /// IBKR puts quotes of one instrument together to about four in a second at most; half of that is
  /// an instrument that is busy all the time.
  static let quotesPerSecond = 2.0

  /// Looks at a directory.
  ///
  /// - Parameters:
  ///   - directory: Where would be recorded.
  ///   - compresses: Whether sealed parts would be.
  init(_ directory: String, compresses: Bool) {
    exists = access(directory, F_OK) == 0
    var folder = directory
    while access(folder, F_OK) != 0, folder.contains("/"), folder != "/" {
      folder = String(folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)])
      if folder.isEmpty { folder = "/" }
    }
    if access(folder, F_OK) != 0 { folder = "." }
    var status = statvfs()
    free = statvfs(folder, &status) == 0 ? Double(status.f_bavail) * Double(status.f_frsize) : nil
    if let pace = RecordingPace(directory: directory) {
      bytesPerHour = pace.bytesPerHour
      let hours = FigureText.rounded(Double(pace.instrumentTime) / 3.6e12)
      source = "as \(hours) hours of an instrument took that are recorded there"
    } else {
      let plain = Self.bytesPerQuote * Self.quotesPerSecond * 3_600
      bytesPerHour = compresses ? plain * Self.compressed : plain
      source =
        "assumed: \(Int(Self.quotesPerSecond)) quotes a second of each instrument, "
        + "\(Int(Self.bytesPerQuote)) bytes each"
        + (compresses ? ", of which gzip leaves \(Int(Self.compressed * 100)) %" : "")
    }
  }

  /// Bytes in a day.
  func perDay(_ instruments: Int) -> Double { bytesPerHour * Self.hours * Double(instruments) }

  /// How many days the disk lasts; nil if its space is not known.
  func days(_ instruments: Int) -> Double? { free.map { $0 / max(1, perDay(instruments)) } }
}

/// The budget of a recording.
struct Budget {
  let directory: String
  let instruments: [(name: String, exchange: String?, instrument: Instrument)]
  /// The trading hours of each, if those count; nil where they are not known.
  let hours: [TradingHours?]
  let channels: [String]
  /// How many instruments the account streams at a time.
  let lines: Int
  let estimate: DiskEstimate
  let end: Int64?
  let now: Int64

  /// Two names of one instrument share a line.
  private var wanted: Int {
    Set(instruments.map { "\($0.instrument.conid) \($0.exchange ?? "")" }).count
  }
  private var waiting: Int { max(0, wanted - lines) }
  private var streaming: Int { min(wanted, lines) }

  private func plan(_ index: Int) -> TradingPlan? {
    hours.indices.contains(index) ? TradingPlan(hours[index], at: now / 1_000_000_000) : nil
  }

  /// The budget for a person.
  var text: String {
    var table = TextTable([
      ("symbol", .left), ("conid", .right), ("type", .left), ("exchange", .left), ("name", .left),
    ])
    for (index, (name, _, instrument)) in instruments.enumerated() {
      var last = Terminal.harmless(instrument.name ?? "")
      if let plan = plan(index) {
        let until = plan.until.map { " until \(TimeText.text($0 * 1_000_000_000))" } ?? ""
        last += (last.isEmpty ? "" : ", ") + (plan.isOpen ? "open" : "closed") + until
      }
      table.append([
        Terminal.harmless(name), "\(instrument.conid)", instrument.securityType ?? "",
        instrument.exchange ?? "", last,
      ])
    }
    let perDay = FigureText.bytes(estimate.perDay(streaming))
    var rows = [
      ("directory", directory + (estimate.exists ? "" : ", which would be created")),
      ("channels", channels.joined(separator: ", ")),
      (
        "lines",
        "\(wanted) of \(lines) that an account streams at a time"
          + (waiting > 0 ? ": \(waiting) would wait until others end" : "")
      ),
      ("disk", "\(perDay) in a day of \(DiskEstimate.hours) hours, \(estimate.source)"),
    ]
    if let free = estimate.free, let days = estimate.days(streaming) {
      rows.append(
        ("free", "\(FigureText.bytes(free)): \(FigureText.grouped(Int(min(days, 1e6)))) such days")
      )
    }
    rows.append(("end", end.map { TimeText.text($0) } ?? "never, until Ctrl-C"))
    let list = rows.map { name, value in
      name + String(repeating: " ", count: 11 - name.count) + value + "\n"
    }
    return table.text + "\n" + list.joined()
      + "\nNothing was written. To record: the same without --dry-run\n"
  }

  /// The budget for a program.
  var json: JSONValue {
    let list = instruments.enumerated().map { index, item -> JSONValue in
      let plan = plan(index)
      return [
        "symbol": .string(item.name), "conid": .number("\(item.instrument.conid)"),
        "open": plan.map { .bool($0.isOpen) } ?? .null,
        "until_s": plan?.until.map { .number("\($0)") } ?? .null,
      ]
    }
    func whole(_ number: Double?) -> JSONValue {
      number.map { .number("\(Int(min($0, 1e18)))") } ?? .null
    }
    return [
      "directory": .string(directory), "instruments": .array(list),
      "channels": .array(channels.map { .string($0) }),
      "lines_used": .number("\(streaming)"), "lines": .number("\(lines)"),
      "waiting": .number("\(waiting)"), "bytes_per_day": whole(estimate.perDay(streaming)),
      "estimated_by": .string(estimate.source), "free_bytes": whole(estimate.free),
      "days": whole(estimate.days(streaming)), "end": end.map { .number("\($0)") } ?? .null,
    ]
  }
}
