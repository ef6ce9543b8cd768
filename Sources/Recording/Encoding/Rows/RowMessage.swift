// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// The rows that follow from a message of the server's, and the channel that they are of.
struct RowMessage {
  let channel: Channel
  private(set) var rows: [(row: Row, context: RowContext)] = []

  /// The channel of a message's rows, nil if it has none.
  static func channel(of record: EventRecord) -> Channel? {
    guard record.direction == .inbound, let topic = record.topic else { return nil }
    if record.flags.contains(.error) { return .status }
    switch topic {
    case .history: return record.kind == .backfill ? .bar : .history
    case .priceLadder: return .book
    case .orders: return .order
    case .trades: return .trade
    case .profitAndLoss: return .pnl
    case .accountSummary: return .summary
    case .accountLedger: return .ledger
    case .system, .status, .accounts, .notification, .bulletin, .error, .waitingForSession,
      .unsubscribed:
      return .status
    case .marketData, .tic, .unrecognised: return nil
    }
  }

  /// Reads a message.
  ///
  /// - Parameters:
  ///   - body: The message.
  ///   - record: What is known of it; ``channel(of:)`` must have one for it.
  ///   - channel: That channel.
  ///   - symbol: The name of the instrument that it is about.
  init(_ body: JSONValue, _ record: EventRecord, _ channel: Channel, symbol: String?) {
    self.channel = channel
    var context = RowContext()
    if record.conid != 0 { context.conid = record.conid }
    context.symbol = symbol
    context.isSnapshot = record.flags.contains(.snapshot)
    let targets = Message.targets(body)
    context.account = targets.first.map(String.init)
    switch channel {
    case .history: addBars(of: body, context)
    case .book:
      context.exchange = targets.count > 2 ? String(targets[2]) : nil
      add(Message.rows(body["data"]), context)
    case .order, .trade:
      // By REST orders have another name, and executions none; an answer tells all there are.
      context.source = RowSource(record.kind)
      if record.kind.isREST { context.isSnapshot = true }
      let list = record.kind.isREST ? body["orders"] ?? body["trades"] : body["args"]
      add(Message.rows(body.elements == nil ? list : body), context)
    case .pnl: addProfitAndLoss(body, context)
    case .ledger, .summary: add(Message.rows(body["result"]), context)
    case .status: addStatus(body, record, context)
    case .raw, .quote, .gap, .bar: break
    }
  }

  /// The bars of an answer to a question by REST.
  ///
  /// - Parameters:
  ///   - answer: The answer (protocol reference 6.5).
  ///   - context: The instrument, and the gap that the bars fill.
  ///   - range: When the bars begin that count, in nanoseconds since 1970; nil if all do.
  init(backfill answer: JSONValue, _ context: RowContext, within range: Range<Int64>? = nil) {
    channel = .bar
    var context = context
    context.source = .backfill
    addBars(of: answer, context, within: range)
  }

  /// The row of an event of our own, in the words of the log.
  ///
  /// - Parameters:
  ///   - name: What kind of event it is.
  ///   - value: The event.
  ///   - symbol: Names an instrument.
  init?(event name: String, _ value: JSONValue, symbol: (Int) -> String?) {
    guard var row = Row(value) else { return nil }
    channel = .status
    var context = RowContext()
    context.status.kind = name
    context.status.stateName = "state"
    switch name {
    case "connection": context.status.textName = "description"
    case "session":
      context.status.stateName = "phase"
      context.status.textName = "reason"
    case "subscription":
      context.status.textName = "error"
      context.status.topic = row["topic"]
      context.status.target = row["target"]
      context.conid = row.integer("conid")
      context.symbol = context.conid.flatMap(symbol)
      let rest = row.members.filter { !["topic", "target", "conid"].contains($0.key) }
      row = Row(.object(rest)) ?? row
    case "backfill":
      context.status.textName = "reason"
      context.status.topic = Topic.history.rawValue
      context.status.target = row["target"]
      context.conid = row.integer("conid")
      context.symbol = context.conid.flatMap(symbol)
      let rest = row.members.filter { !["target", "conid"].contains($0.key) }
      row = Row(.object(rest)) ?? row
    default: return nil
    }
    rows = [(row, context)]
  }

  /// Marks the executions that were recorded before, and notes the others.
  mutating func markDuplicates(_ executions: inout ExecutionMemory) {
    guard channel == .trade else { return }
    for index in rows.indices {
      guard let id = rows[index].row["execution_id"], !id.isEmpty else { continue }
      rows[index].context.isDuplicate = executions.note(id: id)
    }
  }

  private mutating func add(_ found: [Row]?, _ context: RowContext) {
    for row in found ?? [] {
      var context = context
      context.index = rows.count
      rows.append((row, context))
    }
  }

  private mutating func addBars(
    of body: JSONValue,
    _ context: RowContext,
    within range: Range<Int64>? = nil
  ) {
    var context = context
    context.bars.serverID = body["serverId"]?.string
    context.bars.seconds = body["barLength"]?.int
    context.bars.volumeFactor = body["volumeFactor"]?.int ?? 1
    // Bars are no market events, whenever they come.
    context.isSnapshot = true
    let bars = Message.rows(body["data"])?.filter { row in
      guard let range else { return true }
      let time = History.Bar(row: row, volumeFactor: 1).time
      return time.map(range.contains) ?? false
    }
    add(bars, context)
    guard !rows.isEmpty else { return }
    // Said once, and not with each of a thousand bars.
    var rest = (body.members ?? []).filter { !["data", "topic", "serverId"].contains($0.key) }
    if let source = context.bars.source {
      rest.append(.init(key: "source", value: .string(source.rawValue)))
    }
    rows[0].context.answer = JSONValue.object(rest).text
  }

  private mutating func addProfitAndLoss(_ body: JSONValue, _ context: RowContext) {
    for member in body["args"]?.members ?? [] {
      guard let row = Row(member.value) else { continue }
      let entry = ProfitAndLoss.Entry(key: Secret(member.key), row: row)
      var context = context
      context.account = entry.account.exposedText
      context.model = entry.model
      add([row], context)
    }
  }

  private mutating func addStatus(
    _ body: JSONValue,
    _ record: EventRecord,
    _ context: RowContext
  ) {
    // Heartbeats say that the server is there, and nothing of the session.
    if record.topic == .system, body["success"] == nil, body["error"] == nil { return }
    let isError = record.flags.contains(.error) || record.topic == .error
    var context = context
    let parts = (body["topic"]?.string ?? "").split(separator: "+", maxSplits: 1)
    if isError {
      context.status.kind = "error"
      context.status.textName = "error"
      context.status.topic = parts.first.map(String.init)
      context.status.target = parts.count > 1 ? String(parts[1]) : nil
    } else {
      context.conid = nil
      context.symbol = nil
      context.status.kind =
        record.topic == .waitingForSession ? "waiting_for_session" : record.topic?.rawValue ?? ""
      context.status.textName = body["message"] == nil ? "result" : "message"
    }
    let members = (body.members ?? []).filter { $0.key != "topic" }
    switch record.topic {
    case .status? where !isError, .accounts? where !isError:
      context.status.textName = "message"
      add(Row(body["args"]).map { [$0] }, context)
    default: add(Row(.object(members)).map { [$0] }, context)
    }
  }
}
