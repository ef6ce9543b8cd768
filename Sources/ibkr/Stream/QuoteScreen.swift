// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import Monitoring
import Transport

/// The live table of `ibkr stream`: looks into the book as often as the screen is drawn.
///
/// However fast quotes come, this costs what a frame costs; and a terminal that takes no frame
/// misses nothing, because the next one shows what is true by then.
final class QuoteScreen: ScreenContent {
  private struct State {
    var board = QuoteBoard()
    var frame: QuoteFrame
    var tracker = FigureTracker()
    var stream: IbkrWsClient?
    var terminal = Terminal()
  }

  /// Counts; to be attached to the stream.
  let monitor: StreamMonitor
  /// Reads what the book has no place for; nil if nothing else is asked for.
  let extras: QuoteExtras?

  private let state: Locked<State>
  private let loop: EventLoop

  /// Prepares the table.
  ///
  /// - Parameter fields: What is asked of the server.
  /// - Throws: `TransportError` if the system gives no thread.
  init(_ fields: [MarketDataField]) throws {
    let columns = QuoteColumn.columns(of: fields)
    let others = columns.compactMap { if case .field(let field) = $0 { field.id } else { nil } }
    loop = try EventLoop(name: "table")
    // Those that cannot be counted in time are counted as such, and shown.
    monitor = StreamMonitor(loop: loop, overflow: .latestPerInstrument)
    extras = others.isEmpty ? nil : QuoteExtras(others)
    state = Locked(State(frame: QuoteFrame(columns)))
  }

  deinit { loop.stop() }

  /// Learns whose book it is.
  func watch(_ stream: IbkrWsClient) {
    state.withLock { $0.stream = stream }
  }

  var isReady: Bool { state.withLock { $0.stream != nil } }

  func press(_ key: Key) {
    state.withLock { state in
      state.frame.press(key, rows: state.board.rows.count, on: state.terminal)
    }
  }

  func frame(on terminal: Terminal) -> [StyledLine] {
    let (vitals, symbols, now) = (monitor.vitals, monitor.symbols, loop.now)
    let message = StandardError.newest ?? ""
    return state.withLock { state in
      state.terminal = terminal
      update(&state, vitals, symbols, at: now)
      return state.frame.lines(
        state.board.ordered,
        state.tracker.figures(vitals, at: now),
        message: message,
        at: now,
        on: terminal
      )
    }
  }

  private func update(
    _ state: inout State,
    _ vitals: Vitals,
    _ symbols: [Int: String],
    at now: Int64
  ) {
    let missing = vitals.openGaps.values.reduce(into: Set<UInt32>()) { numbers, gap in
      for key in gap.subscriptions { numbers.insert(key.number) }
    }
    var numbers: Set<UInt32> = []
    for (key, since) in vitals.subscriptions where key.topic == .marketData {
      numbers.insert(key.number)
      let symbol = key.conid.flatMap { symbols[$0] } ?? key.target
      let name = key.exchange.map { "\(symbol)@\($0)" } ?? symbol
      state.board.note(key.number, named: name, since.value, inGap: missing.contains(key.number))
      state.board.take(key.number, state.stream?.book.quote(of: key).map { LiveQuote($0) }, at: now)
      if let extras { state.board.take(key.number, fields: extras.values(of: key.number)) }
    }
    state.board.keep { numbers.contains($0) }
    state.board.tick(at: now)
  }
}

/// The newest value of fields that the book has no place for: texts, greeks, what was asked by number.
final class QuoteExtras: EventSink {
  private let ids: Set<Int>
  private let newest = Locked<[UInt32: [Int: String]]>([:])

  /// Watches some fields.
  init(_ ids: [Int]) {
    self.ids = Set(ids)
  }

  var overflow: OverflowPolicy { .latestPerInstrument }

  /// The values of a subscription.
  func values(of number: UInt32) -> [Int: String] { newest.withLock { $0[number] ?? [:] } }

  func write(_ batch: EventBatch) async {
    for event in batch {
      switch event {
      case .message(let message):
        guard let quote = MarketData(message), let number = message.subscriptionNumber else {
          continue
        }
        for (field, value) in quote.fields where ids.contains(field.id) {
          newest.withLock { $0[number, default: [:]][field.id] = value.isNone ? nil : value.text }
        }
      // What was not seen may have changed anything.
      case .dropped: newest.withLock { $0 = [:] }
      case .gap(let gap) where gap.phase == .began:
        newest.withLock { newest in
          for key in gap.subscriptions { newest[key.number] = nil }
        }
      default: break
      }
    }
  }
}
