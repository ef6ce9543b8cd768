// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The market of one instrument: a random walk with a bid below the ask, sizes, trades and a day.
///
/// Knows no clock: each `step()` is one change, and the seed alone decides what it is.
struct InstrumentFeed: Sendable {
  let instrument: Instrument
  private var random: SplitMix64
  private var bid: Int64
  private var ask: Int64
  private(set) var last: Int64
  private var bidSize: Int64
  private var askSize: Int64
  private var lastSize: Int64
  private(set) var volume: Int64
  private var high: Int64
  private var low: Int64
  private let open: Int64
  private let priorClose: Int64

  init(_ instrument: Instrument, seed: UInt64) {
    self.instrument = instrument
    var random = SplitMix64(seed: seed, stream: UInt64(bitPattern: Int64(instrument.conid)))
    last = instrument.price
    bid = max(instrument.tick, last - instrument.tick)
    ask = bid + 2 * instrument.tick
    open = last + random.next(in: -last / 100...last / 100)
    priorClose = max(1, last + random.next(in: -last / 50...last / 50))
    high = max(last, open)
    low = min(last, open)
    bidSize = 100 * random.next(in: 1...20)
    askSize = 100 * random.next(in: 1...20)
    lastSize = 100 * random.next(in: 1...5)
    volume = random.next(in: 800_000...60_000_000)
    self.random = random
  }

  /// Moves the quote by a tick or more and, every other time, trades at one of its sides.
  mutating func step() {
    let tick = instrument.tick
    // A weak pull back to the day's open, so that a year of walking stays a plausible price.
    let pull: Int64 = bid > open * 21 / 20 ? -1 : bid < open * 19 / 20 ? 1 : 0
    let distance = (random.next(in: 1...3) * (random.next(in: 0...1) * 2 - 1) + pull) * tick
    let move = distance == 0 ? tick : distance
    let before = (bid, ask)
    switch random.next(in: 0...3) {
    case 0: bid += move
    case 1: ask += move
    default:
      bid += move
      ask += move
    }
    bid = max(tick, bid)
    ask = min(max(ask, bid + tick), bid + 12 * tick)
    if (bid, ask) == before {
      // The spread's limits took the move back.
      bid += tick
      ask += tick
    }
    if random.next(in: 0...1) == 0 { bidSize = 100 * random.next(in: 1...30) }
    if random.next(in: 0...1) == 0 { askSize = 100 * random.next(in: 1...30) }
    if instrument.behaviour != .halted, random.next(in: 0...1) == 0 { trade() }
  }

  private mutating func trade() {
    last = random.next(in: 0...1) == 0 ? bid : ask
    // Odd lots are the rule, round lots the exception.
    lastSize = random.next(in: 0...2) == 0 ? 100 * random.next(in: 1...14) : random.next(in: 1...99)
    volume += lastSize
    high = max(high, last)
    low = min(low, last)
  }

  /// The present value of a field, nil where this instrument has none.
  func value(of field: Field) -> FieldValue? {
    // Nobody can buy an index.
    if instrument.type == "IND", [84, 85, 86, 88, 7059].contains(field.number) { return nil }
    return switch field.number {
    case 31: price(last, mark: mark)
    case 55: .text(instrument.symbol)
    case 70: price(high)
    case 71: price(low)
    case 82: price(last - priorClose)
    case 83: .percent((last - priorClose) * 10_000 / priorClose)
    case 84: price(bid)
    case 85: .size(askSize)
    case 86: price(ask)
    case 87: field.isRaw ? .double(volume) : .abbreviated(volume)
    case 88: .size(bidSize)
    case 6004: .text("SMART")
    case 6008: .digits(Int64(instrument.conid))
    case 6070: .text(instrument.type)
    case 6509: .text(instrument.availability)
    case 7051: .text(instrument.companyName)
    case 7059: .size(lastSize)
    case 7094: .text("\(instrument.conid)@SMART")
    case 7184, 7768: .text("1")
    case 7219: .text(instrument.localSymbol)
    case 7221: .text(instrument.exchange)
    case 7295: price(open)
    case 7296, 7741: price(priorClose)
    case 7635: price(min(max(last, bid), ask))
    case 7682: price(last - open)
    case 7762: .digits(volume)
    default: nil
    }
  }

  /// The letter before a last price that is not one (protocol reference, section 5.2).
  private var mark: String {
    switch instrument.behaviour {
    case .frozen: "C"
    case .halted: "H"
    case .live, .availabilityFirst, .noData: ""
    }
  }

  private func price(_ units: Int64, mark: String = "") -> FieldValue {
    .price(units, digits: instrument.priceDigits, mark: mark)
  }
}

/// The number of a market-data field, or the raw companion of one.
struct Field: Hashable, Sendable {
  let number: Int
  /// Whether this is the unabbreviated number beside field 87.
  var isRaw = false

  /// The key in a message.
  var key: String { isRaw ? "\(number)_raw" : "\(number)" }
}
