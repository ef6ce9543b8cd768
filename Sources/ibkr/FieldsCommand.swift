// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import IBKR
import JSON

/// `ibkr fields`: the fields of quotes that IBKR documents.
struct FieldsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fields",
    abstract: "List the fields of quotes, or search them by number, name or meaning.",
    discussion: """
      Examples:
        ibkr fields
        ibkr fields volatility
        ibkr stream AAPL --simulate --fields last_price,7283
      """
  )

  @Argument(help: "A part of a number, a name or a meaning; case does not matter.")
  var text: String?

  @Flag(help: "One JSON object per line, as in a pipe.")
  var json = false

  @OptionGroup(title: "Logging") var log: LogOptions

  func run() throws {
    let found = text.map { MarketDataField.search($0) } ?? MarketDataField.all
    guard !found.isEmpty else {
      throw ValidationError("no field has '\(text ?? "")' in its number, name or meaning")
    }
    let isTable = !json && isatty(1) == 1
    Output.write(found.map { isTable ? Self.row($0) : Self.line($0) }.joined(), to: 1)
  }

  private static func row(_ field: MarketDataField.Description) -> String {
    let columns = [("\(field.field.id)", 6), (field.name, 34), (field.kind.rawValue, 9)]
    let padded = columns.map { text, width in
      text + String(repeating: " ", count: max(1, width - text.count))
    }
    return padded.joined() + field.meaning + "\n"
  }

  private static func line(_ field: MarketDataField.Description) -> String {
    let object: JSONValue = [
      "id": .number("\(field.field.id)"), "name": .string(field.name),
      "kind": .string(field.kind.rawValue), "meaning": .string(field.meaning),
    ]
    return object.text + "\n"
  }
}
