// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The values of one column in the rows that are being gathered, on their way to one page.
///
/// A value that is the same as in the row before, as most are, costs a comparison and no more.
final class ParquetChunk {
  /// A page that is ready to be compressed.
  struct Page: ~Copyable {
    var bytes = LineBuffer()
    /// How many values it has, with those that are null.
    var count = 0
    var encoding = ParquetEncoding.plain
  }

  /// The column.
  let leaf: ParquetSchema.Leaf

  /// How many values there are, with those that are null and empty lists.
  private(set) var slotCount = 0
  /// How many rows have no value.
  private(set) var nullCount = 0
  /// The least and the greatest value.
  private(set) var range = ParquetRange()

  // 1 where there is a value; kept for columns that may have none, and for lists.
  private var definitions: [UInt8] = []
  // 0 where a row begins; kept for lists.
  private var repetitions: [UInt8] = []
  private var words: WordValues
  private var texts = ByteValues()
  private var flags: [UInt8] = []

  /// Prepares for a column's values.
  init(_ leaf: ParquetSchema.Leaf) {
    self.leaf = leaf
    // No two of these are alike, but each is near the one before.
    let isSerial = ["seq", "ts_recv", "ts_event", "mono"].contains(leaf.name)
    words = WordValues(isPlain: isSerial)
  }

  /// About how many bytes are held.
  var byteCount: Int { 8 * slotCount + texts.byteCount }

  /// Adds a row without a value.
  func appendNull() {
    addSlot(isDefined: false)
    nullCount += 1
  }

  /// Adds an integer.
  func append(_ number: Int64) {
    addSlot(isDefined: true)
    range.include(number)
    words.append(number)
  }

  /// Adds a floating-point number.
  func append(_ number: Double) {
    addSlot(isDefined: true)
    range.include(number)
    words.append(Int64(bitPattern: number.bitPattern))
  }

  /// Adds a decimal number, in units of the last place of ``ParquetSchema/decimal``.
  func append(units: Int128) {
    addSlot(isDefined: true)
    range.include(units)
    withUnsafeBytes(of: units.bigEndian) { texts.append($0) }
  }

  /// Adds a text.
  func append(_ text: UnsafeRawBufferPointer) {
    addSlot(isDefined: true)
    range.include(text)
    texts.append(text)
  }

  /// Adds a truth value.
  func append(_ flag: Bool) {
    addSlot(isDefined: true)
    flags.append(flag ? 1 : 0)
  }

  /// Adds the last value once more; there must be one since the last ``removeAll()``.
  ///
  /// - Returns: Whether that was possible.
  func repeatLast() -> Bool {
    switch leaf.type {
    case .int64, .double:
      guard words.count > 0 else { return false }
      words.repeatLast()
    case .byteArray, .fixedLength:
      guard !texts.isPlain, texts.count > 0 else { return false }
      texts.repeatLast()
    case .boolean: return false
    }
    addSlot(isDefined: true)
    return true
  }

  /// Says that a row's list has no elements.
  func appendEmptyList() {
    addSlot(isDefined: false)
    repetitions.append(0)
  }

  /// Says of the value that was added last whether it is the first of its row's list.
  func markElement(isFirst: Bool) {
    repetitions.append(isFirst ? 0 : 1)
  }

  private func addSlot(isDefined: Bool) {
    slotCount += 1
    if leaf.isOptional || leaf.isList { definitions.append(isDefined ? 1 : 0) }
  }

  /// Forgets the values.
  func removeAll() {
    (slotCount, nullCount, range) = (0, 0, ParquetRange())
    definitions.removeAll(keepingCapacity: true)
    repetitions.removeAll(keepingCapacity: true)
    words.removeAll()
    texts.removeAll()
    flags.removeAll(keepingCapacity: true)
  }

  // MARK: - Pages

  /// The page of the different values; nil without a dictionary.
  var dictionaryPage: Page? {
    get {
      var page = Page()
      switch leaf.type {
      case .int64, .double:
        guard !words.isPlain, words.count > 0 else { return nil }
        page.count = words.dictionary.count
        for word in words.dictionary { page.bytes.append(littleEndian: word) }
      case .byteArray, .fixedLength:
        guard !texts.isPlain, texts.count > 0 else { return nil }
        page.count = texts.entryCount
        appendTexts(to: &page.bytes)
      case .boolean: return nil
      }
      return page
    }
  }

  /// The page of all values.
  var dataPage: Page {
    get {
      var page = Page()
      page.count = slotCount
      if leaf.isList { Self.append(levels: repetitions, to: &page.bytes) }
      if leaf.isOptional || leaf.isList { Self.append(levels: definitions, to: &page.bytes) }
      switch leaf.type {
      case .int64 where words.isPlain && words.count > 0:
        page.encoding = .deltas
        page.bytes.append(deltas: words.plain)
      case .double where words.isPlain:
        for word in words.plain { page.bytes.append(littleEndian: word) }
      case .int64, .double:
        page.encoding = Self.append(words.indexes, of: words.dictionary.count, to: &page.bytes)
      case .byteArray where texts.isPlain, .fixedLength where texts.isPlain:
        appendTexts(to: &page.bytes)
      case .byteArray, .fixedLength:
        page.encoding = Self.append(texts.indexes, of: texts.entryCount, to: &page.bytes)
      case .boolean: Self.append(flags: flags, to: &page.bytes)
      }
      return page
    }
  }

  private func appendTexts(to bytes: inout LineBuffer) {
    for place in 0..<texts.entryCount {
      texts.withEntry(place) { text in
        if leaf.type == .byteArray {
          bytes.append(littleEndian: UInt32(truncatingIfNeeded: text.count))
        }
        bytes.append(contentsOf: text)
      }
    }
  }

  /// Definition and repetition levels: 4 bytes of length, then runs.
  private static func append(levels: [UInt8], to bytes: inout LineBuffer) {
    var runs = LineBuffer()
    levels.withUnsafeBufferPointer { runs.append(hybrid: $0, width: 1) }
    bytes.append(littleEndian: UInt32(truncatingIfNeeded: runs.count))
    runs.withBytes { bytes.append(contentsOf: $0) }
  }

  /// Places in a dictionary: a byte with their width, then runs.
  private static func append(
    _ indexes: [UInt32],
    of count: Int,
    to bytes: inout LineBuffer
  ) -> ParquetEncoding {
    guard count > 0 else { return .plain }
    let width = max(1, Int.bitWidth - (count - 1).leadingZeroBitCount)
    bytes.append(UInt8(width))
    indexes.withUnsafeBufferPointer { bytes.append(hybrid: $0, width: width) }
    return .dictionary
  }

  private static func append(flags: [UInt8], to bytes: inout LineBuffer) {
    for start in stride(from: 0, to: flags.count, by: 8) {
      var byte: UInt8 = 0
      for (place, flag) in flags[start..<min(start + 8, flags.count)].enumerated() {
        byte |= flag << UInt8(place)
      }
      bytes.append(byte)
    }
  }
}

/// How the values of a page are written (`Encoding` of parquet.thrift).
enum ParquetEncoding: Int {
  case plain = 0
  case runs = 3
  case deltas = 5
  case dictionary = 8
}

/// The least and the greatest value of a column chunk, for readers that look for few rows.
struct ParquetRange {
  private var integers: ClosedRange<Int64>?
  private var doubles: ClosedRange<Double>?
  private var units: ClosedRange<Int128>?
  private var texts: (least: [UInt8], greatest: [UInt8])?

  /// Longer texts are not worth their room in the footer.
  private static let longestText = 64
  private var hasLongText = false

  mutating func include(_ number: Int64) {
    guard integers?.contains(number) != true else { return }
    integers = LineSheet.extended(integers, to: number)
  }

  mutating func include(_ number: Double) {
    guard doubles?.contains(number) != true else { return }
    doubles = LineSheet.extended(doubles, to: number)
  }

  mutating func include(_ number: Int128) {
    guard units?.contains(number) != true else { return }
    units = LineSheet.extended(units, to: number)
  }

  mutating func include(_ text: UnsafeRawBufferPointer) {
    guard !hasLongText else { return }
    guard text.count <= Self.longestText else {
      (texts, hasLongText) = (nil, true)
      return
    }
    guard let known = texts else {
      texts = (Array(text), Array(text))
      return
    }
    if text.lexicographicallyPrecedes(known.least) { texts?.least = Array(text) }
    if known.greatest.lexicographicallyPrecedes(text) { texts?.greatest = Array(text) }
  }

  /// The two as `PLAIN` writes them; nil if nobody knows.
  var bounds: (least: [UInt8], greatest: [UInt8])? {
    if let integers { return (Self.plain(integers.lowerBound), Self.plain(integers.upperBound)) }
    if let doubles {
      // Zero has two signs, and a reader may look for either.
      let least = doubles.lowerBound == 0 ? -0.0 : doubles.lowerBound
      let greatest = doubles.upperBound == 0 ? 0.0 : doubles.upperBound
      return (Self.plain(least.bitPattern), Self.plain(greatest.bitPattern))
    }
    if let units {
      return (
        Self.plain(units.lowerBound.byteSwapped), Self.plain(units.upperBound.byteSwapped)
      )
    }
    return texts
  }

  private static func plain<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }
}
