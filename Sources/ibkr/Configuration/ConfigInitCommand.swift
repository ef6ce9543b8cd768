// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import IBKR
import JSON

/// `ibkr config init`: a file to begin with.
struct ConfigInitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Write a configuration file to begin with.",
    discussion: """
      Examples:
        ibkr config init
        ibkr config init ~/.config/ibkr/config.json
      """
  )

  @Argument(help: "The file.", completion: .file())
  var file = "ibkr.json"

  @Flag(help: "Replace a file that is there.")
  var force = false

  @Flag(help: "Print the path as a JSON object.")
  var json = false

  /// What is written.
  static let example = """
    {
      "//": "Options as on the command line, without hyphens. Flags and variables come first.",
      "gateway": "https://localhost:5000/v1/api",
      "record": {
        "symbols": ["AAPL", "EUR.USD"],
        "output": "data",
        "rotate": "1h",
        "keep": "90d,500GB"
      },
      "stream": {
        "fields": ["last_price", "bid_price", "ask_price"]
      },
      "variables": {
        "//": "Secrets are in files of their own: IBKR_OAUTH1A_ACCESS_TOKEN_FILE, …",
        "IBIND_TICKLER_INTERVAL": 60
      }
    }

    """

  @OptionGroup(title: "Logging") var log: LogOptions

  func run() throws {
    let flags = O_WRONLY | O_CREAT | O_CLOEXEC | (force ? O_TRUNC : O_EXCL)
    let descriptor = open(file, flags, 0o600)
    guard descriptor >= 0 else {
      let reason = String(cString: strerror(errno))
      throw ValidationError(
        errno == EEXIST
          ? "\(file) is there already: look at it with ibkr config check, or replace it with --force"
          : "cannot write the configuration to '\(file)': \(reason)"
      )
    }
    Output.write(Self.example, to: descriptor)
    close(descriptor)
    let quoted = ShellWord.quoted(file)
    Output.write(
      json
        ? JSONValue.object([JSONValue.Member(key: "path", value: .string(file))]).text + "\n"
        : "wrote \(quoted); next: ibkr config check\n",
      to: STDOUT_FILENO
    )
  }
}
