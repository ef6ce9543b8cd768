// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@testable import Recording

@Suite struct ParquetFileTests {
  private static let columns = [
    Column("seq", .integer), Column("ts_event", .timeOrNull), Column("conid", .integerOrNull),
    Column("bid", .decimalOrNull), Column("text", .string), Column("note", .stringOrNull),
    Column("flag", .bool), Column("maybe", .boolOrNull), Column("changed", .strings),
    Column("conids", .integers),
  ]

  private typealias Value = ParquetReading.Value

  /// Writes rows of random values in several row groups and reads them back.
  @Test(arguments: 0..<Seeds.count(16))
  func valuesComeBackAsTheyWere(_ seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let schema = ParquetSchema(Self.columns, isExact: false)
    let storage = MemoryStorage()
    let group = [1, 7, 64, 1_000].randomElement(using: &random) ?? 1
    let parquet = try ParquetFile(
      schema,
      metadata: [("a", "b")],
      to: try storage.create("f"),
      mostRows: group
    )
    let count = Int.random(in: 0...min(2_500, 40 * group), using: &random)
    // Columns of few and of many different values, with few and with many nulls.
    let variety: [Int] = schema.leaves.map { _ in
      [1, 3, 100_000].randomElement(using: &random) ?? 1
    }
    let gaps: [Double] = schema.leaves.map { _ in [0, 0.5, 0.99].randomElement(using: &random) ?? 0
    }
    var expected = schema.leaves.map { _ in [[Value]]() }
    for row in 0..<count {
      try parquet.append { chunks in
        for (index, chunk) in chunks.enumerated() {
          let chance = Double.random(in: 0..<1, using: &random)
          let isNull = chunk.leaf.isOptional && chance < gaps[index]
          expected[index].append(
            isNull
              ? Self.null(chunk)
              : Self.add(to: chunk, row, Int.random(in: 0..<variety[index], using: &random))
          )
        }
      }
    }
    try parquet.finish()
    let file = try storage.open("f")
    #expect(try ParquetFooter(of: file, at: "f").rows == count)
    let reading = try ParquetReading(try file.readAll(limit: .max), schema)
    for (found, wanted) in zip(reading.columns, expected) {
      #expect(found.rows == wanted, "\(found.name)")
      if found.name != "changed", found.name != "conids" {
        #expect(found.nulls == wanted.count { $0 == [.null] })
      }
    }
    #expect(reading.rowGroups.allSatisfy { 1...group ~= $0 })
  }

  private static func null(_ chunk: ParquetChunk) -> [Value] {
    chunk.appendNull()
    return [.null]
  }

  private static func add(to chunk: ParquetChunk, _ row: Int, _ choice: Int) -> [Value] {
    let text = String(repeating: "é\u{0}\"", count: choice % 5) + "\(choice)"
    let numbers: [Int64] = [.min, .max, 0, -1, Int64(choice) << 40]
    switch chunk.leaf.kind {
    case .integer, .integerOrNull, .time, .timeOrNull:
      let number = chunk.leaf.name == "seq" ? Int64(row) : numbers[choice % 5] &+ Int64(choice)
      chunk.append(number)
      return [.integer(number)]
    case .decimalOrNull:
      let number = Double(choice) / 7 * (choice % 2 == 0 ? 1 : -1)
      chunk.append(number)
      return [.double(number.bitPattern)]
    case .string, .stringOrNull:
      Array(text.utf8).withUnsafeBytes { chunk.append($0) }
      return [.bytes(Array(text.utf8))]
    case .bool, .boolOrNull:
      chunk.append(choice % 3 == 1)
      return [.flag(choice % 3 == 1)]
    case .strings, .integers:
      let values = (0..<choice % 4).map { place -> Value in
        defer { chunk.markElement(isFirst: place == 0) }
        guard chunk.leaf.kind == .strings else {
          chunk.append(Int64(place))
          return .integer(Int64(place))
        }
        Array(text.utf8).withUnsafeBytes { chunk.append($0) }
        return .bytes(Array(text.utf8))
      }
      if values.isEmpty { chunk.appendEmptyList() }
      return values
    }
  }

  @Test func aColumnMayBeNullForThirtyThousandRows() throws {
    let schema = ParquetSchema([Column("bid", .decimalOrNull)], isExact: false)
    let storage = MemoryStorage()
    let parquet = try ParquetFile(schema, metadata: [], to: try storage.create("f"))
    for row in 0..<30_003 {
      try parquet.append { row < 30_000 ? $0[0].appendNull() : $0[0].append(Double(row)) }
    }
    try parquet.finish()
    let column = try ParquetReading(try storage.open("f").readAll(limit: .max), schema).columns[0]
    #expect(column.nulls == 30_000)
    #expect(column.rows.suffix(3) == (30_000..<30_003).map { [.double(Double($0).bitPattern)] })
    // Runs of equal levels cost nothing.
    #expect(try storage.open("f").byteCount() < 500)
  }

  @Test func aDictionaryThatGrowsTooLargeIsGivenUp() throws {
    let schema = ParquetSchema(
      [Column("conid", .integer), Column("bid", .decimalOrNull), Column("text", .string)],
      isExact: false
    )
    let storage = MemoryStorage()
    let parquet = try ParquetFile(schema, metadata: [], to: try storage.create("f"))
    for row in 0..<70_000 {
      try parquet.append { chunks in
        chunks[0].append(Int64(row / 2 * 3))
        chunks[1].append(Double(row))
        Array("row \(row)".utf8).withUnsafeBytes { chunks[2].append($0) }
      }
    }
    try parquet.finish()
    let read = try ParquetReading(try storage.open("f").readAll(limit: .max), schema).columns
    #expect(read.map(\.encodings) == [[5], [0], [0]])
    #expect(read[0].rows == (0..<70_000).map { [.integer(Int64($0 / 2 * 3))] })
    #expect(read[1].rows == (0..<70_000).map { [.double(Double($0).bitPattern)] })
    #expect(read[2].rows == (0..<70_000).map { [.bytes(Array("row \($0)".utf8))] })
  }

  @Test func leastAndGreatestAreOfTheColumnsType() throws {
    let schema = ParquetSchema(Self.columns + [Column("exact", .decimalOrNull)], isExact: false)
    let exact = ParquetSchema([Column("exact", .decimalOrNull)], isExact: true)
    let storage = MemoryStorage()
    let parquet = try ParquetFile(schema, metadata: [], to: try storage.create("f"))
    for number in [-5, 0, 12] as [Int64] {
      try parquet.append { chunks in
        for chunk in chunks {
          switch chunk.leaf.type {
          case .int64: chunk.append(number)
          case .double: chunk.append(number == 12 ? 0 : Double(number))
          case .boolean: chunk.append(true)
          default:
            let text = String(repeating: "z", count: chunk.leaf.name == "text" ? 65 : 3)
            Array(text.utf8).withUnsafeBytes { chunk.append($0) }
          }
          if chunk.leaf.isList { chunk.markElement(isFirst: true) }
        }
      }
    }
    try parquet.finish()
    let columns = try ParquetReading(try storage.open("f").readAll(limit: .max), schema).columns
    let found = Dictionary(uniqueKeysWithValues: columns.map { ($0.name, $0) })
    #expect(found["seq"]?.least == [0xFB] + Array(repeating: 0xFF, count: 7))
    #expect(found["seq"]?.greatest == [12, 0, 0, 0, 0, 0, 0, 0])
    // The greatest is a zero, and the sign of that is plus.
    #expect(found["bid"]?.greatest == Array(repeating: 0, count: 8))
    #expect(found["note"]?.least == Array("zzz".utf8))
    #expect(found["text"]?.least == nil)

    let other = try ParquetFile(exact, metadata: [], to: try storage.create("g"))
    for units in [Int128(-1), 256] { try other.append { $0[0].append(units: units) } }
    try other.finish()
    let column = try ParquetReading(try storage.open("g").readAll(limit: .max), exact).columns[0]
    #expect(column.least == Array(repeating: 0xFF, count: 16))
    #expect(column.greatest == Array(repeating: 0, count: 14) + [1, 0])
    #expect(column.rows == [[.bytes(column.least ?? [])], [.bytes(column.greatest ?? [])]])
  }

  @Test func aFooterThatContradictsItselfIsRefused() throws {
    let schema = ParquetSchema([Column("seq", .integer)], isExact: false)
    let storage = MemoryStorage()
    let parquet = try ParquetFile(schema, metadata: [], to: try storage.create("f"), mostRows: 10)
    for row in 0..<25 { try parquet.append { $0[0].append(Int64(row)) } }
    try parquet.finish()
    #expect(try ParquetFooter(of: storage.open("f"), at: "f").rows == 25)
    let sound = try storage.open("f").readAll(limit: .max)
    let length = (0..<4).reduce(0) { $0 | Int(sound[sound.count - 8 + $1]) << (8 * $1) }
    var refused = 0
    // No byte of the footer may make it crash, and none may make it tell of more rows.
    for index in (sound.count - 8 - length)..<sound.count {
      for bit in 0..<8 {
        var bytes = sound
        bytes[index] ^= 1 << UInt8(bit)
        storage.with { $0.files["f"]?.bytes = bytes }
        do {
          #expect(try ParquetFooter(of: storage.open("f"), at: "f").rows == 25)
        } catch {
          refused += 1
        }
      }
    }
    #expect(refused > length)
    storage.with { $0.files["f"]?.bytes.removeLast(9) }
    #expect(throws: StorageError.self) { try ParquetFooter(of: storage.open("f"), at: "f") }
  }

  @Test(arguments: [
    ("150.0", 150.0, true), ("271.73", 271.73, true), ("-0.000001", -0.000001, true),
    ("123456789012345.0", 123456789012345.0, true),
    ("0.1234567890123456789", 0.12345678901234568, false),
    ("9007199254740993.0", 9007199254740992.0, false),
    ("123456789012345678.0", 1.2345678901234568e17, false),
    ("1e300", 1e300, true), ("64.780", 64.78, true),
  ])
  func numbersAreTheNearestAndSaySo(_ text: String, _ value: Double, _ isSame: Bool) throws {
    let found = try #require(Decimal(text)).double
    #expect(found.value == value)
    #expect(found.isSame == isSame)
  }

  @Test func numbersOfFifteenDigitsAreThoseOfTheirText() throws {
    var random = SeededRandom(seed: 5)
    for _ in 0..<20_000 {
      let digits = Int64.random(in: -999_999_999_999_999...999_999_999_999_999, using: &random)
      let decimal = try #require(
        Decimal(mantissa: Int128(digits), exponent: -Int.random(in: 0...22, using: &random))
      )
      let found = decimal.double
      #expect(found.value == Double(decimal.description))
      #expect(found.isSame)
      #expect(Decimal("\(found.value)") == decimal)
    }
  }

  @Test(
    arguments: [
      ("150.0", 150_000_000_000_000), ("-0.000000000001", -1), ("0.0", 0), ("0.0000000000010", 1),
      ("0.0000000000001", nil),
      ("99999999999999999999999999.5", 99_999_999_999_999_999_999_999_999_500_000_000_000),
      ("100000000000000000000000000.0", nil),
    ] as [(String, Int128?)]
  )
  func unitsOfDecimalsAreExactOrNone(_ text: String, _ units: Int128?) throws {
    #expect(try #require(Decimal(text)).units(at: 12) == units)
  }
}
