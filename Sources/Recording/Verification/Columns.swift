// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// The columns of a channel, to compare lines with.
struct Columns {
  /// What is wrong with a line.
  enum Fault {
    case columns(String)
    case type(String)
  }

  /// All names, one behind the other, and where each ends: an array for each would be counted up and
  /// down for each value of each line.
  private let names: [UInt8]
  private let columns: [(end: Int, kind: Column.Kind)]
  private let time: TimeFormat

  /// Prepares for the lines of a channel.
  ///
  /// - Parameters:
  ///   - channel: The channel.
  ///   - time: How the run writes points in time.
  init(of channel: Channel, time: TimeFormat = .nanoseconds) {
    var names: [UInt8] = []
    columns = channel.columns.map { column in
      names += column.name.utf8
      return (names.count, column.kind)
    }
    self.names = names
    self.time = time
  }

  /// Compares a line, which must be JSON, with the columns.
  ///
  /// - Parameter line: The line.
  /// - Returns: The first thing that is wrong, nil if there is none.
  func fault(in line: UnsafeRawBufferPointer) -> Fault? {
    names.withUnsafeBytes { fault(in: line, names: $0) }
  }

  private func fault(
    in line: UnsafeRawBufferPointer,
    names: UnsafeRawBufferPointer
  ) -> Fault? {
    var scanner = JSONScanner(line)
    var start = 0
    for (end, kind) in columns {
      let name = UnsafeRawBufferPointer(rebasing: names[start..<end])
      start = end
      guard let member = scanner.nextMember() else {
        return .columns("the column \(Self.text(name)) is missing")
      }
      guard scanner.bytes(member.name).elementsMatch(name) else {
        let found = String(decoding: scanner.bytes(member.name).prefix(40), as: UTF8.self)
        return .columns("where \(Self.text(name)) should be there is '\(found)'")
      }
      if !fits(member, kind, scanner) { return .type("\(Self.text(name)) is not of its type") }
    }
    if let more = scanner.nextMember() {
      let found = String(decoding: scanner.bytes(more.name).prefix(40), as: UTF8.self)
      return .columns("there is a column too many: '\(found)'")
    }
    return nil
  }

  private static func text(_ name: UnsafeRawBufferPointer) -> String {
    String(decoding: name, as: UTF8.self)
  }

  private func fits(_ member: JSONMember, _ kind: Column.Kind, _ scanner: JSONScanner) -> Bool {
    switch kind {
    case .integer: member.kind == .number && scanner.integer(member) != nil
    case .integerOrNull: member.kind == .null || fits(member, .integer, scanner)
    case .time:
      member.kind == (time == .iso ? .string : .number) && scanner.time(member) != nil
    case .timeOrNull: member.kind == .null || fits(member, .time, scanner)
    case .decimalOrNull:
      member.kind == .null
        || member.kind == .number && scanner.bytes(member.value).contains(UInt8(ascii: "."))
    case .string: member.kind == .string
    case .stringOrNull: member.kind == .null || member.kind == .string
    case .bool: member.kind == .true || member.kind == .false
    case .boolOrNull: member.kind == .null || fits(member, .bool, scanner)
    case .strings, .integers: member.kind == .array
    }
  }
}
