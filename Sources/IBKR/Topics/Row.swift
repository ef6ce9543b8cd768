// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import JSON
public import OAuth1a

/// One object of a message: values by name, as the server sent them.
///
/// Typed messages read what they name from here, and whatever they do not name is here too. One and
/// the same value comes as a number from one server and as a string from another, so every reader
/// takes both; nothing is rounded. Printing a row shows no values, because accounts are among them.
public struct Row: Sendable, Hashable {
  /// The values with their names, in the order of the message.
  package private(set) var members: [JSONValue.Member]

  /// Reads an object.
  ///
  /// - Parameter value: What should be an object; there is no row in anything else.
  package init?(_ value: JSONValue?) {
    guard let members = value?.members else { return nil }
    self.members = members
  }

  /// The names of the values, in the order of the message.
  public var names: [String] { members.map(\.key) }

  /// Whether the row has a value, even an empty one; what is missing from an update has not changed.
  ///
  /// - Parameter name: The value's name.
  /// - Returns: Whether it is there.
  public func contains(_ name: String) -> Bool { members.contains { $0.key == name } }

  /// A value as text: a number as it was written, an array or an object as JSON; nil for `null` and
  /// for what is missing.
  ///
  /// - Parameter name: The value's name.
  public subscript(name: String) -> String? {
    switch value(name) {
    case .string(let text), .number(let text): text
    case .bool(let flag): flag ? "true" : "false"
    case .array, .object: value(name)?.text
    case .null, nil: nil
    }
  }

  /// A number, exactly: also one with thousands separators, a percent sign, an exponent, or `K`,
  /// `M`, `B`, `T` behind it.
  ///
  /// - Parameter name: The value's name.
  /// - Returns: The number; nil for text, `N/A`, `-`, empty and what is missing.
  public func decimal(_ name: String) -> Decimal? {
    value(name)?.string.flatMap { QuoteNumber($0, allowsMark: false).decimal }
  }

  /// A whole number.
  ///
  /// - Parameter name: The value's name.
  /// - Returns: The number; nil for anything else and what does not fit.
  public func integer(_ name: String) -> Int? { decimal(name).flatMap { Int(exactly: $0) } }

  /// A boolean, also as the text `true` or `false`, or as 1 or 0.
  ///
  /// - Parameter name: The value's name.
  /// - Returns: The boolean; nil for anything else.
  public func flag(_ name: String) -> Bool? { value(name)?.bool }

  /// A value that must not be printed by accident: an account, a user name, a session.
  ///
  /// - Parameter name: The value's name.
  /// - Returns: The secret; nil for an empty one and what is missing.
  public func secret(_ name: String) -> Secret? {
    value(name)?.string.flatMap { $0.isEmpty ? nil : Secret($0) }
  }

  /// Takes over what a later row of the same thing says; what it does not say stays.
  ///
  /// - Parameter later: The later row.
  public mutating func merge(_ later: Row) {
    for member in later.members {
      if let index = members.lastIndex(where: { $0.key == member.key }) {
        members[index] = member
      } else {
        members.append(member)
      }
    }
  }

  /// The value of a name; of several, the last.
  package func value(_ name: String) -> JSONValue? { members.last { $0.key == name }?.value }

  /// A time in milliseconds since 1970, as nanoseconds.
  func milliseconds(_ name: String) -> Int64? { nanoseconds(name, 1_000_000) }

  /// A time in seconds since 1970, as nanoseconds.
  func seconds(_ name: String) -> Int64? { nanoseconds(name, 1_000_000_000) }

  private func nanoseconds(_ name: String, _ unit: Int64) -> Int64? {
    guard let value = integer(name) else { return nil }
    let (product, overflow) = Int64(value).multipliedReportingOverflow(by: unit)
    return overflow ? nil : product
  }
}

extension Row: CustomStringConvertible, CustomReflectable {
  /// How many values there are; never the values.
  public var description: String { "\(members.count) values" }

  /// A mirror without children, so that `dump` shows nothing either.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Part of a feed that first tells everything and then what has changed.
protocol RowBacked {
  var row: Row { get set }
  /// What an update names the part by.
  var identity: String { get }
}

extension Array where Element: RowBacked {
  /// Takes over what a later message says about some of the parts.
  mutating func merge(_ later: [Element]) {
    for element in later {
      let identity = element.identity
      if let index = firstIndex(where: { $0.identity == identity }) {
        self[index].row.merge(element.row)
      } else {
        append(element)
      }
    }
  }
}
