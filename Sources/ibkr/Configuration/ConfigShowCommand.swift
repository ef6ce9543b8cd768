// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import IBKR
import JSON

/// `ibkr config show`: what is in effect, and where it comes from.
struct ConfigShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Print the configuration in effect, and where each value comes from.",
    discussion: """
      Examples:
        ibkr config show
        ibkr config show --json | jq .variable

      Secrets are not shown. What a file says for other commands is shown with its section.
      """
  )

  @Flag(help: "Print NDJSON: variable, value, source.")
  var json = false

  @OptionGroup(title: "Connection") var connection: ConnectionOptions

  /// The options that say the same as a variable.
  private static let options = [
    "IBIND_USE_OAUTH": ["oauth"], "IBIND_REST_URL": ["gateway"],
    "IBIND_CACERT": ["ca", "pin", "insecure"],
  ]

  @OptionGroup(title: "Logging") var log: LogOptions

  func run() throws {
    let configured = Configured.current
    let variables = configured.variables
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
      let other = configured.source(
        of: setting.variable,
        isStandard: setting == known[setting.variable]?.standard
      )
      let place = Self.place(ofOptionFor: setting.variable, configured)
      let source = place ?? (isFlag ? "flag" : other)
      output += line(setting.variable, setting.value, source)
    }
    let patience = try StreamConfiguration(environment: variables).settings
    for (setting, standard) in zip(patience, StreamConfiguration().settings) {
      let source = configured.source(of: setting.variable, isStandard: setting == standard)
      output += line(setting.variable, setting.value, source)
    }
    for place in configured.places {
      let over = place.overriddenBy.map { ", but \($0)" } ?? ""
      output += line(place.name, place.value, "\(configured.path ?? ""):\(place.line)\(over)")
    }
    Output.write(output, to: STDOUT_FILENO)
  }

  /// Where the file has an option that says the same as a variable.
  private static func place(ofOptionFor variable: String, _ configured: Configured) -> String? {
    configured.places.first {
      options[variable]?.contains($0.name) == true && $0.overriddenBy == nil
    }
    .map { "\(configured.path ?? ""):\($0.line)" }
  }

  private func line(_ variable: String, _ value: String?, _ source: String) -> String {
    guard json else { return "\(variable)=\(value ?? "")  # \(source)\n" }
    let object: JSONValue = [
      "variable": .string(variable), "value": value.map { .string($0) } ?? .null,
      "source": .string(source),
    ]
    return object.text + "\n"
  }
}

extension Configured {
  /// Where a variable's value comes from.
  fileprivate func source(of variable: String, isStandard: Bool) -> String {
    if isInEnvironment(variable) { return "environment" }
    if let place = fileVariables[variable] { return "\(path ?? ""):\(place.line)" }
    // A secret's file, or lower case letters of a proxy: something else in the environment.
    return isStandard ? "default" : "environment"
  }
}
