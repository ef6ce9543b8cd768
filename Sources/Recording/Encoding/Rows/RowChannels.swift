// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// Makes the lines of the channels whose rows are objects of the server's.
///
/// What it is given has been through the redactor, as the log has it: live and from the log the lines
/// come out the same. Nothing here is on the way of quotes, so a tree of each message is no matter.
final class RowChannels {
  private var encoders: [Channel: RowEncoder] = [:]
  private var executions: ExecutionMemory
  /// Up to which number the executions are known from the rows of the run.
  private var recalledUpTo: UInt64 = 0

  /// Prepares for some channels.
  ///
  /// - Parameters:
  ///   - channels: The channels that are wanted.
  ///   - start: How lines begin.
  ///   - executions: Nothing yet; tests remember less.
  init(
    _ channels: Set<Channel>,
    _ start: LineStart,
    executions: ExecutionMemory = ExecutionMemory()
  ) {
    self.executions = executions
    for channel in channels {
      if let table = RowTable(channel) { encoders[channel] = RowEncoder(table, start) }
    }
  }

  /// Whether the channel is wanted, and one of those that are made here.
  func wants(_ channel: Channel) -> Bool { encoders[channel] != nil }

  /// The channel of a message's rows, nil if there are none or they are not wanted.
  func channel(of record: EventRecord) -> Channel? {
    RowMessage.channel(of: record).flatMap { wants($0) ? $0 : nil }
  }

  /// Notes an execution of a row that the run has recorded before.
  ///
  /// The memory is bounded, so it matters in which order, and how often, an execution is noted: once
  /// for each row, in their order. What is made again up to the last of these rows notes nothing.
  func recall(execution id: String, from seq: UInt64) {
    recalledUpTo = max(recalledUpTo, seq)
    guard !id.isEmpty else { return }
    _ = executions.note(id: id)
  }

  /// Makes the lines of a message.
  ///
  /// - Parameters:
  ///   - message: Its bytes, without secrets.
  ///   - record: What is known of it.
  ///   - channel: The channel of its rows.
  ///   - symbol: The name of the instrument that it is about.
  ///   - sheets: Where the lines go.
  /// - Returns: How many bytes they have.
  func append(
    _ message: UnsafeRawBufferPointer,
    _ record: EventRecord,
    _ channel: Channel,
    symbol: String?,
    to sheets: some LineSheets
  ) -> Int {
    guard let body = Self.parsed(message, record) else { return 0 }
    return append(RowMessage(body, record, channel, symbol: symbol), record, to: sheets)
  }

  /// Makes the lines of an answer with the bars of a gap.
  ///
  /// - Parameters:
  ///   - answer: Its bytes.
  ///   - record: What is known of it.
  ///   - backfill: What of it counts, and for what.
  ///   - run: The run that has asked.
  ///   - symbol: The name of the instrument.
  ///   - sheets: Where the lines go.
  /// - Returns: How many bytes they have.
  func append(
    _ answer: UnsafeRawBufferPointer,
    _ record: EventRecord,
    _ backfill: Backfill,
    in run: RunID,
    symbol: String?,
    to sheets: some LineSheets
  ) -> Int {
    guard let body = Self.parsed(answer, record) else { return 0 }
    var context = RowContext()
    context.conid = backfill.conid
    context.symbol = symbol
    context.gapID = backfill.gap.text(in: run)
    context.bars.source = backfill.source
    let message = RowMessage(backfill: body, context, within: backfill.range)
    return append(message, record, to: sheets)
  }

  private static func parsed(
    _ message: UnsafeRawBufferPointer,
    _ record: EventRecord
  ) -> JSONValue? {
    // One letter that is no text must not cost an order.
    let bytes =
      record.flags.contains(.utf8)
      ? Array(message) : Array(String(decoding: message, as: UTF8.self).utf8)
    return try? JSONValue(parsing: bytes)
  }

  /// Makes the line of an event of our own.
  ///
  /// - Parameters:
  ///   - event: The event as the log has it.
  ///   - name: What kind of event it is.
  ///   - record: The event's record.
  ///   - sheets: Where the line goes.
  ///   - symbol: Names an instrument.
  /// - Returns: How many bytes the line has.
  func append(
    event: UnsafeRawBufferPointer,
    _ name: String,
    _ record: EventRecord,
    to sheets: some LineSheets,
    symbol: (Int) -> String?
  ) -> Int {
    guard wants(.status), let value = try? JSONValue(parsing: event),
      let message = RowMessage(event: name, value, symbol: symbol)
    else { return 0 }
    return append(message, record, to: sheets)
  }

  /// Makes the lines of rows.
  func append(_ message: RowMessage, _ record: EventRecord, to sheets: some LineSheets) -> Int {
    guard let encoder = encoders[message.channel], !message.rows.isEmpty else { return 0 }
    var message = message
    if record.seq > recalledUpTo { message.markDuplicates(&executions) }
    let sheet = sheets.sheet(message.channel, symbol: nil, at: record.realtime)
    return message.rows.reduce(0) { bytes, row in
      bytes + sheet.line(of: record) { encoder.append(row.row, row.context, record, to: &$0) }
    }
  }
}
