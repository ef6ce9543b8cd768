// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import JSON

/// The merged quote of one subscription: every value as of now.
///
/// Messages carry only what has changed. The state forgets everything when a request is new (another
/// `server_id`) and when ``clear()`` is called at a gap, so that no old bid reads as one of now. It
/// depends on the messages alone: live and from a log it comes out the same.
package struct QuoteState: Sendable {
  /// A value that has a place of its own; the others are ``Update/others``.
  package enum Column: UInt8, Sendable, CaseIterable {
    case bid, bidSize, ask, askSize, last, lastSize, volume
    case open, high, low, close, change, changePercent

    /// The name of the column.
    package var name: StaticString {
      switch self {
      case .bid: "bid"
      case .bidSize: "bid_size"
      case .ask: "ask"
      case .askSize: "ask_size"
      case .last: "last"
      case .lastSize: "last_size"
      case .volume: "volume"
      case .open: "open"
      case .high: "high"
      case .low: "low"
      case .close: "close"
      case .change: "change"
      case .changePercent: "change_pct"
      }
    }

    /// The column of a field, nil if it has none.
    package init?(field id: Int) {
      switch id {
      case 84: self = .bid
      case 88: self = .bidSize
      case 86: self = .ask
      case 85: self = .askSize
      case 31: self = .last
      case 7059: self = .lastSize
      case 87, 7762: self = .volume
      case 7295: self = .open
      case 70: self = .high
      case 71: self = .low
      case 7296: self = .close
      case 82: self = .change
      case 83: self = .changePercent
      default: return nil
      }
    }

    fileprivate var allowsMark: Bool {
      switch self {
      case .bid, .ask, .last, .open, .high, .low, .close, .change: true
      case .bidSize, .askSize, .lastSize, .volume, .changePercent: false
      }
    }
  }

  /// Several columns.
  package struct Columns: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    package init(_ column: Column) { rawValue = 1 << UInt16(column.rawValue) }
  }

  /// What is to be known of the values besides the values.
  package struct Flags: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `last` is the previous close (`C` before it).
    package static let lastIsClose = Flags(rawValue: 1)
    /// Trading is halted (`H` before `last`).
    package static let lastIsHalted = Flags(rawValue: 2)
    /// The data is delayed (`D…`, `Y…`).
    package static let delayed = Flags(rawValue: 4)
    /// The data is frozen (`Z…`, `Y…`).
    package static let frozen = Flags(rawValue: 8)
    /// There will be no data (`N…`, `O…`).
    package static let notSubscribed = Flags(rawValue: 16)
    /// The message repeats the one before it: same `_updated`, same values.
    package static let duplicate = Flags(rawValue: 32)
    /// The message was overtaken: some of its values are older than what is known, and left out.
    package static let late = Flags(rawValue: 64)
  }

  /// What one message did.
  package struct Update: Sendable {
    /// The columns that the message carried.
    package var changed: Columns = []
    /// The flags as of now; ``Flags/duplicate`` and ``Flags/late`` are about this message.
    package var flags: Flags = []
    /// Whether the message is an image and not a market event.
    package var isSnapshot = false
    /// Whether the message carried any field of a quote at all.
    package var carriesFields = false
    /// Whether every value from before the message was forgotten: its request is new.
    package var forgets = false
    /// Whether the message brought another availability code.
    package var changesAvailability = false
  }

  /// A message that is older than another by no more than this has been overtaken; otherwise the
  /// server's clock was set.
  private static let latest: Int64 = 5_000

  private var cells = InlineArray<13, QuoteCell>(repeating: .none)
  /// The server's time of each value in milliseconds; `Int64.min` for none.
  private var times = InlineArray<13, Int64>(repeating: .min)
  private var rule = SnapshotRule()
  private var volumeIsExact = false
  /// The flags as of now.
  package private(set) var flags: Flags = []
  private var previous: (updated: Int64, digest: UInt64) = (.min, 0)

  /// The availability code (6509) as it was last sent; empty if it never was.
  package private(set) var availability: [UInt8] = []

  /// Creates a state of which nothing is known.
  package init() {}

  /// The value of a column as of now; nil if there is none or it was never sent.
  package subscript(column: Column) -> Decimal? { cell(column).decimal }

  /// The same as it was printed.
  @inline(__always)
  package func cell(_ column: Column) -> QuoteCell {
    // Its own subscript would copy the whole array.
    cells.span[Int(column.rawValue)]
  }

  /// Forgets everything: what comes next is an image again.
  package mutating func clear() {
    rule.reset()
    forget()
  }

  /// Merges a message of this subscription.
  ///
  /// - Parameters:
  ///   - record: What is known of the message.
  ///   - fields: Where its fields stand.
  ///   - message: Its bytes.
  ///   - changed: Called for every column that the message sets, with its value.
  ///   - other: Called for every field that has no column, and for abbreviated values (`12.2M`),
  ///     with the id, the value without quotes, and its kind in JSON.
  /// - Returns: What it did, nil if it is not a quote.
  package mutating func apply(
    _ record: EventRecord,
    _ fields: Span<FieldPlace>,
    of message: UnsafeRawBufferPointer,
    changed: (Column, QuoteCell) -> Void,
    other: (Int, UnsafeRawBufferPointer, JSONKind) -> Void
  ) -> Update? {
    merge(record, fields, message, changed, other)
  }

  /// Merges a message of this subscription, as ``apply(_:_:of:changed:other:)`` does.
  package mutating func apply(
    _ record: EventRecord,
    _ fields: Span<FieldPlace>,
    of message: UnsafeRawBufferPointer
  ) -> Update? {
    merge(record, fields, message, { _, _ in }, { _, _, _ in })
  }

  // Into its two callers, so that nothing is called where nobody listens.
  @inline(__always)
  private mutating func merge(
    _ record: EventRecord,
    _ fields: Span<FieldPlace>,
    _ message: UnsafeRawBufferPointer,
    _ changed: (Column, QuoteCell) -> Void,
    _ other: (Int, UnsafeRawBufferPointer, JSONKind) -> Void
  ) -> Update? {
    guard record.topic == .marketData, !record.flags.contains(.error) else { return nil }
    let (isSnapshot, isNew) = rule.observe(
      request: record.request,
      updated: record.updated,
      carriesValue: record.flags.contains(.value)
    )
    if isNew { forget() }
    var update = Update(isSnapshot: isSnapshot, forgets: isNew)
    for index in fields.indices {
      let (id, content) = (fields[index].id, fields[index].content(in: message))
      if id == 6509 {
        guard !availability.elementsEqual(content) else { continue }
        availability = Array(content)
        update.changesAvailability = true
        noteAvailability()
      } else if id != 6119, id != 6508 {
        update.carriesFields = true
        set(id, content, fields[index].kind, record.updated, &update, changed, other)
      }
    }
    update.flags.formUnion(flags)
    // Order does not count: the gateway sends the same image in two orders.
    if record.updated == previous.updated, record.digest == previous.digest, record.digest != 0 {
      update.flags.insert(.duplicate)
    }
    previous = (record.updated, record.digest)
    return update
  }

  private mutating func forget() {
    cells = InlineArray(repeating: .none)
    times = InlineArray(repeating: .min)
    volumeIsExact = false
    flags = []
    availability.removeAll(keepingCapacity: true)
    previous = (.min, 0)
  }

  @inline(__always)
  private mutating func set(
    _ id: Int,
    _ content: UnsafeRawBufferPointer,
    _ kind: JSONKind,
    _ time: Int64,
    _ update: inout Update,
    _ changed: (Column, QuoteCell) -> Void,
    _ other: (Int, UnsafeRawBufferPointer, JSONKind) -> Void
  ) {
    guard let column = Column(field: id) else { return other(id, content, kind) }
    let place = Int(column.rawValue)
    if time < times[place], time != .min, times[place] &- time <= Self.latest {
      update.flags.insert(.late)
      return
    }
    times[place] = time
    let cell: QuoteCell
    var mark = MarketDataValue.Mark?.none
    if let short = QuoteCell(short: content) {
      cell = short
    } else {
      let number = QuoteNumber(content, allowsMark: column.allowsMark)
      if number.isAbbreviated || (number.decimal == nil && !number.isNone) {
        other(id, content, kind)
      }
      cell = number.decimal.map(QuoteCell.number) ?? .none
      mark = number.mark
    }
    if column == .volume {
      // 7762 is exact; 87 is rounded for display and must not overwrite it.
      if id == 87, volumeIsExact { return }
      if id == 7762 { volumeIsExact = true }
    }
    update.changed.insert(Columns(column))
    cells[place] = cell
    changed(column, cell)
    if column == .last {
      flags.remove([.lastIsClose, .lastIsHalted])
      switch mark {
      case .previousClose: flags.insert(.lastIsClose)
      case .halted: flags.insert(.lastIsHalted)
      case nil: break
      }
    }
  }

  /// The first letter decides (protocol reference 5.3).
  private mutating func noteAvailability() {
    flags.remove([.delayed, .frozen, .notSubscribed])
    switch availability.first {
    case UInt8(ascii: "D"): flags.insert(.delayed)
    case UInt8(ascii: "Z"): flags.insert(.frozen)
    case UInt8(ascii: "Y"): flags.insert([.delayed, .frozen])
    case UInt8(ascii: "N"), UInt8(ascii: "O"): flags.insert(.notSubscribed)
    default: break
    }
  }
}
