// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser

/// `ibkr config`: the configuration.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Make, check and look at the configuration.",
    discussion: """
      Examples:
        ibkr config init
        ibkr config check
        ibkr config show

      A configuration file is a JSON object with options as on the command line, without their \
      hyphens: those of every command, an object for each command with options of its own, and \
      variables. Keys that begin with // are comments. It is looked for as --config FILE, \
      IBKR_CONFIG, ./ibkr.json, and ibkr/config.json below $XDG_CONFIG_HOME or ~/.config; the \
      first one counts. Flags come before variables, those before the file, and that before \
      defaults.
      """,
    subcommands: [ConfigInitCommand.self, ConfigCheckCommand.self, ConfigShowCommand.self]
  )
}
