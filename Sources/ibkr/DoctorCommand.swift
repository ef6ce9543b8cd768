// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import IBKR
import Logging
import Recording

/// `ibkr doctor`: what keeps a recording from working.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Find out what keeps a recording from working, and what to do about it.",
    discussion: """
      Examples:
        ibkr doctor --oauth --simulate
        ibkr doctor --pin sha256/… -o data
        ibkr doctor --json | jq 'select(.outcome == "failed")'
        ibkr doctor --offline

      Prints a line for each thing that it looks at: variables, keys, the way to the server, the \
      login, market data, the socket, and the disk. No order is placed, no other login ended, \
      and no session given back. With OAuth it logs in, which a program that runs with the same \
      consumer key may notice.

      The exit code is that of the first check that failed: 3 login and session, 4 network, 7 \
      storage, 78 configuration and keys; 0 if none has.
      """
  )

  @Flag(help: "Leave out what takes a network.")
  var offline = false

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("The directory that a recording is to go to.", valueName: "dir"),
    completion: .directory
  )
  var directory = "."

  @Flag(help: "Print NDJSON: name, area, outcome, finding, remedy.")
  var json = false

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup(title: "Logging") var log: LogOptions

  func run() async throws {
    let list = CheckList(json: json)
    let logger = log.logger(unlessAsked: .error)
    let stop = try Stop()
    let diagnosis = try await stop.unlessAsked {
      var diagnosis = Diagnosis { list.print($0) }
      try await connection.withServer { read in
        let configuration = diagnosis.examineConfiguration(
          environment: Configured.current.variables
        ) { _ in try read() }
        if let configuration, !offline {
          await diagnosis.examineServer(configuration, logger: logger)
        }
      }
      diagnosis.examineDirectory(directory)
      return diagnosis
    }
    if let diagnosis { try CheckList.conclude(diagnosis) }
  }
}
