// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import IBKR
import JSON
import Logging

/// `ibkr config check`: whether a configuration file says what its commands understand.
struct ConfigCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check a configuration file: its keys, and every value.",
    discussion: """
      Examples:
        ibkr config check
        ibkr config check ~/.config/ibkr/config.json

      Nothing is connected to; that is for ibkr doctor. The exit code is 78 for a file that cannot \
      be used.
      """
  )

  @Argument(help: "The file; without it the one that would be used.", completion: .file())
  var file: String?

  @Flag(help: "Print one JSON object: path, settings, outcome, finding.")
  var json = false

  @OptionGroup(title: "Logging") var log: LogOptions

  func run() throws {
    let variables = ProcessEnvironment.variables
    guard let path = try Configured.path(file, variables) else {
      let places = Configured.usualPaths(variables).joined(separator: " nor ")
      throw ValidationError("there is neither \(places): ibkr config init makes a file")
    }
    do {
      let text = try TextFile.read(path, as: "the configuration")
      let read = try ConfigurationFile(path: path, text: text)
      try read.check()
      let count = read.entries.count + read.variables.count
      let warning = Configured.exposure(of: path)
      if let warning, log.level <= .warning {
        Output.write("warning: \(warning)\n", to: STDERR_FILENO)
      }
      Output.write(
        json
          ? Self.object(path, count, warning).text + "\n"
          : "\(path): \(count) settings, nothing is wrong\n",
        to: STDOUT_FILENO
      )
    } catch {
      if json, let error = error as? IbkrError {
        let object = Self.object(path, 0, error.description, outcome: "failed")
        Output.write(object.text + "\n", to: STDOUT_FILENO)
      }
      throw error
    }
  }

  private static func object(
    _ path: String,
    _ count: Int,
    _ finding: String?,
    outcome: String = "passed"
  ) -> JSONValue {
    [
      "path": .string(path), "settings": .number("\(count)"), "outcome": .string(outcome),
      "finding": finding.map { .string($0) } ?? .null,
    ]
  }
}
