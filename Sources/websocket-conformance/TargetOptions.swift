// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser

/// What to do, and with whom: exactly one of these is given.
struct TargetOptions: ParsableArguments {
  enum Mode {
    case suite(String)
    case once(String)
    case count(String)
    case echo(String)
    case serve(UInt16)
  }

  @Option(help: "Run all cases of the fuzzing server at this URL (Autobahn's protocol).")
  var url: String?

  @Option(help: "Connect once to this URL, read until the end, tell what happened.")
  var once: String?

  @Option(help: "Connect to this URL and count messages until the close frame.")
  var count: String?

  @Option(help: "Connect to this URL and echo every message until the connection is closed.")
  var echo: String?

  @Option(help: "Echo what clients send to this port of the loopback; 0 for any that is free.")
  var serve: UInt16?

  func validate() throws {
    _ = try mode()
  }

  func mode() throws -> Mode {
    let modes = [
      url.map(Mode.suite), once.map(Mode.once), count.map(Mode.count), echo.map(Mode.echo),
      serve.map(Mode.serve),
    ].compactMap(\.self)
    guard modes.count == 1 else {
      throw ValidationError("Give exactly one of --url, --once, --count, --echo and --serve.")
    }
    return modes[0]
  }
}
