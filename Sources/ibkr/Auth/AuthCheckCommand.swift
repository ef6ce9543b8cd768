// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import IBKR

/// `ibkr auth check`: keys and tokens, without a network.
struct AuthCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Look at the keys and tokens of the environment, without a network.",
    discussion: """
      Examples:
        set -a; . keys/ibind.env; set +a; ibkr auth check

      Each for itself and against the others: swapped keys, a prime with colons, a secret that \
      was generated again.
      """
  )

  @Flag(help: "Print NDJSON: name, area, outcome, finding, remedy.")
  var json = false

  @OptionGroup(title: "Logging") var log: LogOptions

  func run() throws {
    let list = CheckList(json: json)
    var diagnosis = Diagnosis { list.print($0) }
    _ = diagnosis.examineConfiguration(environment: Configured.current.variables) {
      try IbkrConfiguration(environment: $0, usesOAuth: true)
    }
    try CheckList.conclude(diagnosis)
  }
}
