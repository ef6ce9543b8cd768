// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import JSON

/// A line of a channel, taken apart into its columns; valid only as long as the line is.
struct ExportRow {
  /// What stands in a column of type list.
  enum Element {
    /// The bytes between the quotes, and whether there are escapes in them.
    case text(UnsafeRawBufferPointer, hasEscapes: Bool)
    case integer(Int64)
  }

  /// The columns, in the order of the channel's.
  let members: [JSONMember]
  let scanner: JSONScanner

  /// Whether a column says nothing.
  func isNull(_ column: Int) -> Bool { members[column].kind == .null }

  /// The value of a column as it stands in the line; of a string without its quotes.
  func bytes(_ column: Int) -> UnsafeRawBufferPointer {
    scanner.bytes(members[column].content)
  }

  /// The integer of a column.
  func integer(_ column: Int) -> Int64? { scanner.integer(members[column]) }

  /// The point in time of a column, whichever ``TimeFormat`` it is written in.
  func time(_ column: Int) -> Int64? { scanner.time(members[column]) }

  /// The truth value of a column.
  func flag(_ column: Int) -> Bool { members[column].kind == .true }

  /// Gives the text of a column to `body`, without its escapes.
  ///
  /// - Parameters:
  ///   - column: The column.
  ///   - scratch: Memory to use.
  ///   - body: Takes the bytes, which are UTF-8.
  /// - Throws: What `body` throws.
  func withText<Failure: Error>(
    _ column: Int,
    _ scratch: inout LineBuffer,
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    let bytes = bytes(column)
    guard members[column].hasEscapes else { return try body(bytes) }
    try Self.withText(bytes, &scratch, body)
  }

  /// Gives a text to `body`, without its escapes.
  static func withText<Failure: Error>(
    _ content: UnsafeRawBufferPointer,
    _ scratch: inout LineBuffer,
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    scratch.removeAll()
    // The line was validated, so no escape is malformed.
    scratch.append(atMost: content.count) { JSONString.unescape(content, into: $0) ?? 0 }
    try scratch.withBytes(body)
  }

  /// Calls `body` with each element of a list.
  func forEachElement(_ column: Int, _ body: (Element) -> Void) {
    _ = Self.forEachElement(of: bytes(column), body)
  }

  /// Walks over an array of strings and integers, which must be JSON.
  ///
  /// - Returns: Whether there was nothing else in it.
  static func forEachElement(
    of array: UnsafeRawBufferPointer,
    _ body: (Element) -> Void
  ) -> Bool {
    var index = 1
    while index < array.count - 1 {
      switch array[index] {
      case UInt8(ascii: "\""):
        let start = index + 1
        var hasEscapes = false
        index = start
        while array[index] != UInt8(ascii: "\"") {
          if array[index] == UInt8(ascii: "\\") {
            hasEscapes = true
            index += 1
          }
          index += 1
        }
        body(
          .text(UnsafeRawBufferPointer(rebasing: array[start..<index]), hasEscapes: hasEscapes)
        )
        index += 1
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        let start = index
        while array[index] != UInt8(ascii: ","), array[index] != UInt8(ascii: "]"),
          array[index] > 0x20
        { index += 1 }
        let digits = UnsafeRawBufferPointer(rebasing: array[start..<index])
        guard let number = Int64(digits: digits) else { return false }
        body(.integer(number))
      case UInt8(ascii: ","), 0x09, 0x0A, 0x0D, 0x20: index += 1
      default: return false
      }
    }
    return true
  }
}

/// Takes lines of a channel apart, and finds those that are none.
final class ExportRowReader {
  /// What is wrong with a line.
  struct Fault: Error {
    let reason: String
  }

  /// The columns.
  let columns: [Column]

  private let names: [[UInt8]]
  private var members: [JSONMember] = []

  /// Prepares for the lines of a channel.
  init(_ columns: [Column]) {
    self.columns = columns
    names = columns.map { Array($0.name.utf8) }
  }

  /// Takes a line apart.
  ///
  /// - Parameter line: The line.
  /// - Returns: The row.
  /// - Throws: ``Fault`` for a line that is none of the channel.
  func read(_ line: UnsafeRawBufferPointer) throws(Fault) -> ExportRow {
    do {
      try JSONValidator.validate(line)
    } catch {
      throw Fault(reason: "\(error)")
    }
    members.removeAll(keepingCapacity: true)
    var scanner = JSONScanner(line)
    while let member = scanner.nextMember() {
      guard members.count < columns.count else { throw Fault(reason: "there is a column too many") }
      let column = columns[members.count]
      guard equal(scanner.bytes(member.name), names[members.count]) else {
        throw Fault(reason: "where \(column.name) should be there is something else")
      }
      guard Self.fits(member, column.kind, scanner) else {
        throw Fault(reason: "\(column.name) is not of its type")
      }
      members.append(member)
    }
    guard members.count == columns.count else {
      throw Fault(reason: "the column \(columns[members.count].name) is missing")
    }
    return ExportRow(members: members, scanner: scanner)
  }

  private func equal(_ bytes: UnsafeRawBufferPointer, _ name: [UInt8]) -> Bool {
    guard bytes.count == name.count, let start = bytes.baseAddress else { return false }
    return memcmp(start, name, name.count) == 0
  }

  private static func fits(
    _ member: JSONMember,
    _ kind: Column.Kind,
    _ scanner: JSONScanner
  ) -> Bool {
    switch kind {
    case .integer: member.kind == .number && scanner.integer(member) != nil
    case .integerOrNull: member.kind == .null || fits(member, .integer, scanner)
    case .time: scanner.time(member) != nil
    case .timeOrNull: member.kind == .null || fits(member, .time, scanner)
    case .decimalOrNull:
      member.kind == .null || member.kind == .number
    case .string: member.kind == .string
    case .stringOrNull: member.kind == .null || member.kind == .string
    case .bool: member.kind == .true || member.kind == .false
    case .boolOrNull: member.kind == .null || fits(member, .bool, scanner)
    case .strings, .integers: fits(member, elementsOf: kind, scanner)
    }
  }

  private static func fits(
    _ member: JSONMember,
    elementsOf kind: Column.Kind,
    _ scanner: JSONScanner
  ) -> Bool {
    guard member.kind == .array else { return false }
    var areRight = true
    let isList = ExportRow.forEachElement(of: scanner.bytes(member.value)) { element in
      switch element {
      case .text: areRight = areRight && kind == .strings
      case .integer: areRight = areRight && kind == .integers
      }
    }
    return isList && areRight
  }
}
