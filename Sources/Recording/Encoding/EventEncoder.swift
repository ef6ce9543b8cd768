// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// Turns the events of a run into the lines of its channels.
final class EventEncoder {
  // Asked for every message, so three bits and not a set.
  private let wantsRaw: Bool
  private let wantsQuotes: Bool
  private let wantsGaps: Bool
  private let raw: RawEncoder
  private let gaps: GapEncoder
  private let quotes: QuoteEncoder
  private let rows: RowChannels
  private let start: LineStart
  private let separatesSymbols: Bool
  private var redactor: Redactor
  private var names = SymbolNames()
  private let books: QuoteShelf
  // Owned: allocated here, freed in `deinit`. Behind a pointer for the same reason as the books.
  private let log = UnsafeMutablePointer<CurrentSheet>.allocate(capacity: 1)
  private var text = LineBuffer()
  /// What is being recorded, by the numbers of the subscriptions.
  private var wanted: [UInt32: SubscriptionKey] = [:]
  private let run: RunID
  private var losses = LossAccount()

  /// The last thing that was seen, nil before the first.
  private(set) var lastStamp: Stamp?

  /// The number of the last event that was seen, 0 before the first.
  private(set) var lastSeq: UInt64 = 0

  /// Begins a run.
  ///
  /// - Parameters:
  ///   - run: Its name.
  ///   - channels: The channels that are wanted.
  ///   - keepsAccounts: Whether account ids stay as they are.
  ///   - layout: What of the lines is a matter of taste.
  init(
    run: RunID,
    channels: Set<Channel>,
    keepsAccounts: Bool,
    layout: LineLayout = LineLayout()
  ) {
    wantsRaw = channels.contains(.raw)
    wantsQuotes = channels.contains(.quote)
    wantsGaps = channels.contains(.gap)
    self.run = run
    start = LineStart(run: run, time: layout.time)
    raw = RawEncoder(start)
    gaps = GapEncoder(run: run, start)
    let names = ColumnNames()
    books = QuoteShelf(names)
    quotes = QuoteEncoder(start, names)
    rows = RowChannels(channels, start)
    log.initialize(to: CurrentSheet())
    separatesSymbols = layout.partition == .dateAndSymbol
    redactor = Redactor(keepsAccounts: keepsAccounts)
  }

  /// Goes on with a recorded run as it was recorded: what had to be replaced was replaced then.
  convenience init(
    replaying origin: RecordedRun,
    channels: Set<Channel>,
    layout: LineLayout = LineLayout()
  ) throws(StorageError) {
    self.init(run: origin.record.run, channels: channels, keepsAccounts: true, layout: layout)
    for instrument in origin.instruments { learn(instrument) }
    try origin.prepare(self)
  }

  deinit { log.deallocate() }

  /// Learns an instrument's symbol.
  func learn(_ instrument: Instrument) {
    names.learn(instrument)
  }

  /// Notes an execution that the run has recorded before, so that it is marked when it comes again.
  func recall(execution id: String, from seq: UInt64) {
    rows.recall(execution: id, from: seq)
  }

  /// Makes the lines of some events.
  ///
  /// - Parameters:
  ///   - batch: The events.
  ///   - sheets: Where the lines go.
  /// - Returns: How many bytes they have.
  func append(_ batch: EventBatch, to sheets: some LineSheets) -> Int {
    var bytes = 0
    batch.forEachRecord { record, message, fields in
      if losses.isPending, record.seq > 0 { bytes += declareLoss(before: record.stamp, to: sheets) }
      switch record.sort {
      case .message:
        if let backfill = batch.backfill(of: record) {
          bytes += message.withUnsafeBytes { append(record, $0, to: backfill, to: sheets) }
        } else {
          bytes += message.withUnsafeBytes { append(record, $0, fields, to: sheets) }
        }
      case .own where record.seq == 0:
        // The time before a recorded run: it is told as what it is, before the run's events.
        return
      case .own:
        if let event = batch.detail(of: record) { bytes += append(event, record, to: sheets) }
      case .dropped:
        if case .dropped(let count, let range) = batch.detail(of: record) {
          losses.lost(count, range)
        }
        return
      }
      lastSeq = record.seq
      lastStamp = record.stamp
    }
    return bytes
  }

  /// Makes the lines of a loss that nothing has come after: the run ends.
  ///
  /// - Parameter sheets: Where the lines go.
  /// - Returns: How many bytes they have.
  func finish(to sheets: some LineSheets) -> Int {
    guard losses.isPending, let lastStamp else { return 0 }
    return declareLoss(before: lastStamp, to: sheets)
  }

  private func declareLoss(before next: Stamp, to sheets: some LineSheets) -> Int {
    guard let gap = losses.declare(after: lastStamp, before: next, recordedKeys) else { return 0 }
    lastSeq = gap.stamp.seq
    lastStamp = gap.stamp
    return append(.gap(gap), EventRecord.own(gap.stamp), to: sheets)
  }

  /// What is being recorded, in the order in which it was asked for.
  private var recordedKeys: [SubscriptionKey] {
    wanted.sorted { $0.key < $1.key }.map(\.value)
  }

  /// Makes the lines of the time before the run in which nobody was recording.
  ///
  /// - Parameters:
  ///   - down: The time.
  ///   - sheets: Where the lines go.
  /// - Returns: How many bytes they have.
  func append(_ down: DownTime, to sheets: some LineSheets) -> Int {
    let record = EventRecord.own(down.stamp)
    lastStamp = down.stamp
    var bytes = 0
    if wantsRaw {
      text.removeAll()
      down.appendJSON(run: run, to: &text)
      let sheet = sheets.sheet(.raw, symbol: nil, at: record.realtime)
      bytes += sheet.line(of: record) { lines in
        text.withBytes { raw.append(record, own: "gap", text: $0, isRedacted: false, to: &lines) }
      }
    }
    guard wantsGaps else { return bytes }
    let sheet = sheets.sheet(.gap, symbol: nil, at: record.realtime)
    return bytes + sheet.line(of: record) { down.appendLine(run: run, start, to: &$0) }
  }

  /// The last record and what was being recorded, for the run's own record.
  ///
  /// - Parameter down: The time before the run: until something is asked for, its instruments are
  ///   still those that are missing.
  /// - Returns: The record, nil if there is none.
  func lastRecord(after down: DownTime?) -> RunRecord.LastRecord? {
    guard let lastStamp else { return nil }
    var last = RunRecord.LastRecord(
      seq: lastStamp.seq,
      realtime: lastStamp.realtime,
      monotonic: lastStamp.monotonic
    )
    if wanted.isEmpty {
      last.symbols = down?.last.symbols ?? []
      last.conids = down?.last.conids ?? []
    } else {
      let keys = recordedKeys
      last.symbols = keys.compactMap { names.name(of: $0) }
      last.conids = Set(keys.compactMap(\.conid)).sorted()
    }
    return last
  }

  private func append(
    _ record: EventRecord,
    _ message: UnsafeRawBufferPointer,
    _ fields: Span<FieldPlace>,
    to sheets: some LineSheets
  ) -> Int {
    let rowChannel = rows.channel(of: record)
    var bytes = 0
    if wantsRaw || rowChannel != nil {
      bytes = appendLog(record, message, rowChannel, to: sheets)
    }
    if wantsQuotes, record.topic == .marketData, record.direction == .inbound, record.conid != 0 {
      bytes += appendQuote(record, message, fields, to: sheets)
    }
    return bytes
  }

  /// The line of the log, and the rows that follow from what it says.
  private func appendLog(
    _ record: EventRecord,
    _ message: UnsafeRawBufferPointer,
    _ rowChannel: Channel?,
    to sheets: some LineSheets
  ) -> Int {
    let topic = UnsafeRawBufferPointer(rebasing: message[record.topicRange])
    guard !record.flags.contains(.redacted) else {
      let content = RawEncoder.Content(payload: message, topic: topic, isRedacted: true)
      return append(record, content, rowChannel, to: sheets)
    }
    guard !Redactor.isHarmless(record), let clean = redactor.redacted(message, of: record) else {
      return append(record, .init(payload: message, topic: topic), rowChannel, to: sheets)
    }
    let cleanTopic = redactor.redacted(topic: topic) ?? Array(topic)
    return clean.withUnsafeBytes { message in
      cleanTopic.withUnsafeBytes { topic in
        let content = RawEncoder.Content(payload: message, topic: topic, isRedacted: true)
        return append(record, content, rowChannel, to: sheets)
      }
    }
  }

  private func append(
    _ record: EventRecord,
    _ content: RawEncoder.Content,
    _ rowChannel: Channel?,
    to sheets: some LineSheets
  ) -> Int {
    var bytes = 0
    if wantsRaw {
      let sheet = log.pointee.sheet(of: sheets, at: record.realtime) {
        sheets.sheet(.raw, symbol: nil, at: record.realtime)
      }
      bytes += sheet._withUnsafeGuaranteedRef { sheet in
        sheet.line(of: record) { raw.append(record, content, to: &$0) }
      }
    }
    guard let rowChannel else { return bytes }
    let symbol = names.symbol(of: record.conid)
    return bytes + rows.append(content.payload, record, rowChannel, symbol: symbol, to: sheets)
  }

  /// The line of an answer with the bars of a gap, and a row for each bar.
  private func append(
    _ record: EventRecord,
    _ answer: UnsafeRawBufferPointer,
    to backfill: Backfill,
    to sheets: some LineSheets
  ) -> Int {
    var bytes = 0
    if wantsRaw {
      var topic = backfill.topic(in: run)
      let sheet = sheets.sheet(.raw, symbol: nil, at: record.realtime)
      bytes += sheet.line(of: record) { lines in
        topic.withUTF8 { topic in
          let content = RawEncoder.Content(
            payload: answer,
            topic: UnsafeRawBufferPointer(topic),
            isRedacted: record.flags.contains(.redacted)
          )
          raw.append(record, content, to: &lines)
        }
      }
    }
    guard rows.wants(.bar) else { return bytes }
    // Named as the quotes are that it stands in for.
    let key = SubscriptionKey(
      topic: .marketData,
      target: backfill.target,
      conid: backfill.conid,
      number: 0
    )
    let symbol = names.name(of: key)
    return bytes
      + rows.append(answer, record, backfill, in: run, symbol: symbol, to: sheets)
  }

  private func appendQuote(
    _ record: EventRecord,
    _ message: UnsafeRawBufferPointer,
    _ fields: Span<FieldPlace>,
    to sheets: some LineSheets
  ) -> Int {
    let book = book(of: record)
    guard let update = book.pointee.apply(record, fields, of: message) else { return 0 }
    let sheet = book.pointee.sheet.sheet(of: sheets, at: record.realtime) {
      let symbol = separatesSymbols ? book.pointee.symbol : nil
      return sheets.sheet(.quote, symbol: symbol, at: record.realtime)
    }
    return sheet._withUnsafeGuaranteedRef { sheet in
      sheet.line(of: record) { quotes.append(record, update, book.pointee, to: &$0) }
    }
  }

  /// The book of the subscription that a message belongs to.
  private func book(of record: EventRecord) -> UnsafeMutablePointer<QuoteBook> {
    let (number, conid) = (record.subscription, record.conid)
    if let book = books.book(subscription: number, conid: conid) { return book }
    let symbol = names.name(conid: conid, subscription: number)
    return books.add(subscription: number, conid: conid, symbol: symbol)
  }

  private func append(
    _ event: OwnEvent,
    _ record: EventRecord,
    to sheets: some LineSheets
  ) -> Int {
    let event = if case .gap(let gap) = event { OwnEvent.gap(losses.counted(gap)) } else { event }
    var bytes = 0
    if wantsRaw || rows.wants(.status), let name = event.name {
      bytes += appendLog(event, name, record, to: sheets)
    }
    switch event {
    case .subscription(let key, let state):
      names.learn(key)
      if case .failed = state { wanted[key.number] = nil } else { wanted[key.number] = key }
    case .gap(let gap):
      bytes += append(gap, record, to: sheets)
    case .connection, .session, .dropped, .backfill:
      break
    }
    return bytes
  }

  /// The line of the log, and the row of `ch=status`.
  private func appendLog(
    _ event: OwnEvent,
    _ name: String,
    _ record: EventRecord,
    to sheets: some LineSheets
  ) -> Int {
    text.removeAll()
    event.appendJSON(of: run, to: &text)
    let isRedacted = record.flags.contains(.redacted)
    return text.withBytes { text in
      guard !isRedacted,
        let clean = redactor.redacted(own: text, naming: event.subscriptions)
      else { return append(text, isRedacted, name, record, to: sheets) }
      return clean.withUnsafeBytes { append($0, true, name, record, to: sheets) }
    }
  }

  private func append(
    _ text: UnsafeRawBufferPointer,
    _ isRedacted: Bool,
    _ name: String,
    _ record: EventRecord,
    to sheets: some LineSheets
  ) -> Int {
    var bytes = 0
    if wantsRaw {
      let sheet = sheets.sheet(.raw, symbol: nil, at: record.realtime)
      bytes += sheet.line(of: record) {
        raw.append(record, own: name, text: text, isRedacted: isRedacted, to: &$0)
      }
    }
    return bytes
      + rows.append(event: text, name, record, to: sheets) { names.symbol(of: $0) }
  }

  private func append(_ gap: Gap, _ record: EventRecord, to sheets: some LineSheets) -> Int {
    for key in gap.subscriptions {
      names.learn(key)
      // No value from before the gap may read as one of now.
      guard gap.phase == .began || gap.isOfSink, let conid = key.conid else { continue }
      books.clear(subscription: key.number, conid: conid)
    }
    guard wantsGaps, gap.phase != .began else { return 0 }
    let symbols = gap.subscriptions.compactMap { names.name(of: $0) }
    let sheet = sheets.sheet(.gap, symbol: nil, at: record.realtime)
    return sheet.line(of: record) { gaps.append(gap, symbols: symbols, to: &$0) }
  }
}

extension EventRecord {
  /// Where the verbatim topic stands in the message; empty if there is none.
  fileprivate var topicRange: Range<Int> {
    Int(topicOffset)..<Int(topicOffset) + Int(topicLength)
  }
}

extension OwnEvent {
  /// The subscriptions that the event names.
  fileprivate var subscriptions: [SubscriptionKey] {
    switch self {
    case .subscription(let key, _): [key]
    case .gap(let gap): gap.subscriptions
    case .connection, .session, .dropped, .backfill: []
    }
  }
}
