// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser

/// Whether what was looked up a while ago counts.
struct CacheOptions: ParsableArguments {
  @Flag(name: .customLong("no-cache"), help: "Look every symbol up, and remember none.")
  var isOff = false

  @Flag(help: "Look every symbol up anew; without it what was found within a day counts.")
  var refresh = false

  func validate() throws {
    if isOff, refresh {
      throw ValidationError("--no-cache and --refresh exclude each other: choose one")
    }
  }
}
