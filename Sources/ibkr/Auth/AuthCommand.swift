// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser

/// `ibkr auth`: keys and sessions.
struct AuthCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "auth",
    abstract: "Make keys for OAuth 1.0a, look at them, and at the session.",
    discussion: """
      Examples, in this order:
        ibkr auth setup -o keys       make the keys; it says what to upload where
        ibkr auth check               look at keys and tokens, without a network
        ibkr doctor                   log in and look at everything

      With OAuth 1.0a there is no gateway and no browser: the program signs with keys of its \
      own.
      """,
    subcommands: [
      AuthSetupCommand.self, AuthCheckCommand.self, AuthStatusCommand.self,
      AuthLogoutCommand.self,
    ]
  )
}
