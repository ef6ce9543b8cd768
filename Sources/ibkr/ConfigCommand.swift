// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import IBKR
import JSON

/// `ibkr config`: the configuration.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Look at the configuration.",
    subcommands: [ConfigShowCommand.self]
  )
}

/// `ibkr config show`: what is in effect, and where it comes from.
struct ConfigShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Print the configuration in effect, and where each value comes from.",
    discussion: """
      Flags come before variables, and those before defaults. Secrets are not shown.

      Examples:
        ibkr config show
        ibkr config show --json | jq .variable
      """
  )

  @Flag(help: "Print NDJSON: variable, value, source.")
  var json = false

  @OptionGroup(title: "Connection") var connection: ConnectionOptions

  func run() throws {
    let variables = ProcessEnvironment.variables
    let effective = try connection.configuration()
    var plain = try IbkrConfiguration(environment: variables)
    try plain.useProxy(of: variables)
    let switched = (plain.oauth == nil) != (effective.oauth == nil)
    if switched {
      plain = try IbkrConfiguration(environment: variables, usesOAuth: effective.oauth != nil)
      try plain.useProxy(of: variables)
    }
    let standard = try IbkrConfiguration(environment: [:], usesOAuth: effective.oauth != nil)
    let known = Dictionary(
      zip(plain.settings, standard.settings).map { ($0.variable, (plain: $0, standard: $1)) },
      uniquingKeysWith: { first, _ in first }
    )
    var output = ""
    for setting in effective.settings {
      let isFlag =
        setting.variable == "IBIND_USE_OAUTH" ? switched : setting != known[setting.variable]?.plain
      let isSet = variables[setting.variable]?.isEmpty == false
      let isStandard = setting == known[setting.variable]?.standard
      output += line(setting, isFlag ? "flag" : isSet || !isStandard ? "environment" : "default")
      output += "\n"
    }
    let patience = try StreamConfiguration(environment: variables).settings
    for (setting, standard) in zip(patience, StreamConfiguration().settings) {
      let isSet = variables[setting.variable]?.isEmpty == false || setting != standard
      output += line(setting, isSet ? "environment" : "default") + "\n"
    }
    Output.write(output, to: STDOUT_FILENO)
  }

  private func line(_ setting: Setting, _ source: String) -> String {
    guard json else {
      return "\(setting.variable)=\(setting.value ?? "")  # \(source)"
    }
    let value: JSONValue = [
      "variable": .string(setting.variable),
      "value": setting.value.map { .string($0) } ?? .null, "source": .string(source),
    ]
    return value.text
  }
}
