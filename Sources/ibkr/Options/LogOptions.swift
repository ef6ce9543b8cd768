// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Logging

/// How much is said on standard error.
///
/// Every command takes these, so that a script can give them to whichever it starts; one that reads
/// files says there what it has done, and errors.
struct LogOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Say nothing but warnings and errors.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Say more; twice for everything.")
  var verbose: Int

  @Option(
    help: ArgumentHelp(
      "Say what is at least this important: "
        + Logger.Level.allCases.map(\.rawValue).joined(separator: ", ") + ".",
      valueName: "level"
    )
  )
  var logLevel: LogLevel?

  @Flag(name: .customLong("no-color"), help: "No colours, as with NO_COLOR in the environment.")
  var noColor = false

  func validate() throws {
    if [quiet, verbose > 0, logLevel != nil].count(where: { $0 }) > 1 {
      throw ValidationError("--quiet, --verbose and --log-level exclude each other: choose one")
    }
  }

  /// What is at least said.
  var level: Logger.Level {
    if let logLevel { return logLevel.level }
    if quiet { return .warning }
    return verbose == 0 ? .info : verbose == 1 ? .debug : .trace
  }

  /// A logger that writes to standard error.
  ///
  /// - Parameter usual: What is at least said if no option says anything; nil for what most
  ///   commands say.
  /// - Returns: The logger.
  func logger(unlessAsked usual: Logger.Level? = nil) -> Logger {
    let isAsked = quiet || verbose > 0 || logLevel != nil
    let level = isAsked ? level : usual ?? level
    return Logger(label: "ibkr") { _ in
      StandardErrorLog(logLevel: level)
    }
  }
}

/// The name of a level.
struct LogLevel: ExpressibleByArgument, Hashable {
  let level: Logger.Level

  init?(argument: String) {
    guard let level = Logger.Level(rawValue: argument.lowercased()) else { return nil }
    self.level = level
  }
}
