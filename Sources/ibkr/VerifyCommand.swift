// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Recording

/// `ibkr verify`: tells whether a recording is whole.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Say what is wrong with a recording, and where.",
    discussion: """
      Examples:
        ibkr verify data
        ibkr verify data --deep --json | jq .kind
        ibkr verify data --repair

      Reads every byte: lines, numbers, times, columns and types, gzip members, the \
      manifest's SHA-256, and whether the parts of each run make a whole. Findings go to \
      standard output, a line each. The exit code is 6 if anything is damaged.

      --repair cuts torn lines off (they are kept in files named .torn), brings crashed \
      runs to their end, takes good lines out of damaged parts, and writes typed channels \
      again from the log. Nothing is invented: what is missing from the log stays missing, \
      and goes on being told.
      """
  )

  @Argument(
    help: ArgumentHelp("The recording's directory.", valueName: "path"),
    completion: .directory
  )
  var path: String

  @Flag(help: "Put right what can be put right, then verify.")
  var repair = false

  @Flag(help: "Make the typed channels again from the log and compare them as well.")
  var deep = false

  @Flag(help: "Print findings as NDJSON.")
  var json = false

  @OptionGroup(title: "Logging") var log: LogOptions

  func run() throws {
    if repair {
      let done = try RecordingRepair(directory: path).run()
      if !log.quiet { for action in done { Output.write("repaired: \(action)\n", to: 2) } }
    }
    let report = try RecordingVerifier(directory: path, deep: deep).verify()
    for finding in report.findings {
      Output.write(json ? finding.json : "\(finding)\n", to: 1)
    }
    let damages = report.findings.count { $0.kind.isDamage }
    if !log.quiet {
      Output.write(
        "\(report.parts) parts, \(report.lines) lines, \(report.bytes) bytes: "
          + (damages == 0 ? "nothing is damaged\n" : "\(damages) damages\n"),
        to: 2
      )
    }
    if damages > 0 { throw DamageFound() }
  }
}

/// That a recording is damaged; the findings have said what and where.
struct DamageFound: Error, Hashable, CustomStringConvertible {
  var description: String { "the recording is damaged" }
}
