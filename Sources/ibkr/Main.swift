// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import IBKR
import Transport

/// The program: arguments in, exit code out.
@main
enum Main {
  // Not an async `main`: with one, the main thread would end up in libdispatch, which waits there
  // with every signal unblocked, and SIGINT would kill the process instead of asking it to end.
  static func main() {
    // Before any thread exists that could take them.
    SignalSource.block([SIGINT, SIGTERM, SIGHUP] + JobControl.signals)
    // Whoever reads our output may leave; the write says so then.
    signal(SIGPIPE, SIG_IGN)
    // A limit on the size of files (`ulimit -f`) is a full disk to us, and not our end.
    signal(SIGXFSZ, SIG_IGN)
    // The memory has keys and tokens in it, which are not to be found in a file after a crash.
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    // On the pool, because this thread does nothing but wait.
    Task { @concurrent in
      let status = await run()
      LiveTerminal.restore()
      exit(status.rawValue)
    }
    JobControl.serve()
  }

  /// What a person is told of an error: one sentence, and the options that would help.
  ///
  /// - Parameters:
  ///   - error: What went wrong.
  ///   - arguments: The command line, without the program's name.
  /// - Returns: The text for standard error; for help that was asked for, that of standard output.
  static func message(for error: any Error, _ arguments: [String] = []) -> String {
    if IBKRCommand.exitCode(for: error) == .validationFailure,
      let unknown = Advice.unknownCommand(in: arguments)
    {
      return
        "Error: \(unknown)\nUsage: ibkr <subcommand>\n  See 'ibkr --help' for more information."
    }
    let text = sentence(for: error)
    return Advice.next(after: error, arguments).map { "\(text)\nNext: \($0)" } ?? text
  }

  private static func sentence(for error: any Error) -> String {
    // What only turns out while a command runs is no question of its usage.
    if let error = error as? ValidationError { return "Error: \(error.message)" }
    let message = IBKRCommand.fullMessage(for: error)
    guard let error = error as? IbkrError else { return message }
    switch error.code {
    case .untrusted:
      return "\(message): --pin sha256/… or --ca FILE"
    case .ambiguousSymbol where !error.candidates.isEmpty:
      return "Error: \(error.what); write one of these instead:\n" + table(of: error.candidates)
    default:
      return message
    }
  }

  /// A line for each instrument: the word that names it and no other, and what tells it apart.
  private static func table(of candidates: [Instrument]) -> String {
    var table = TextTable([
      ("symbol", .left), ("type", .left), ("exchange", .left), ("currency", .left),
      ("multiplier", .right), ("conid", .right), ("name", .left),
    ])
    for instrument in candidates {
      table.append([
        ShellWord.quoted(instrument.word(among: candidates)), instrument.securityType ?? "",
        instrument.exchange ?? "", instrument.currency ?? "",
        instrument.multiplier.map { "\($0)" } ?? "", "\(instrument.conid)", instrument.name ?? "",
      ])
    }
    return String(table.text.dropLast())
  }

  private static func run() async -> ExitStatus {
    let words = Array(CommandLine.arguments.dropFirst())
    do {
      let configured = try Configured(words, variables: ProcessEnvironment.variables)
      if let warning = configured.warning { Output.write("warning: \(warning)\n", to: 2) }
      try await Configured.$current.withValue(configured) {
        var command = try command(configured)
        if var command = command as? any AsyncParsableCommand {
          try await command.run()
        } else {
          try command.run()
        }
      }
      return .done
    } catch {
      let status = ExitStatus(error)
      let message = Self.message(for: error, words)
      if !message.isEmpty { Output.write(message + "\n", to: status == .done ? 1 : 2) }
      return status
    }
  }

  private static func command(_ configured: Configured) throws -> any ParsableCommand {
    do {
      return try IBKRCommand.parseAsRoot(configured.arguments)
    } catch {
      // What the file has added is told with its line.
      if ExitStatus(error) == .usage { try configured.check() }
      throw error
    }
  }
}

/// The commands.
struct IBKRCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ibkr",
    abstract: "Record and stream market data of Interactive Brokers.",
    discussion: """
      Examples:
        ibkr record AAPL MSFT --simulate -o data --duration 10s
        ibkr record AAPL 265598@ARCA --pin sha256/… -o data
        ibkr stream EUR.USD -c 10 | jq .bid
        ibkr simulate --port 5000 --ca-out ca.pem

      Data goes to standard output, everything else to standard error. The exit code is 0 \
      when done (also after Ctrl-C, when everything is on disk), 1 for an error without a \
      code of its own, 2 wrong usage, 3 authentication, 4 network, 5 gaps with --strict, 6 \
      damage, 7 storage, 8 taken over, 78 configuration, 130 or 143 after a second signal.
      """,
    version: version,
    subcommands: [
      RecordCommand.self, StreamCommand.self, SearchCommand.self, InstrumentCommand.self,
      FieldsCommand.self, SimulateCommand.self,
      AuthCommand.self, DoctorCommand.self, ConfigCommand.self,
      VerifyCommand.self, StatsCommand.self, GapsCommand.self, BackfillCommand.self,
      CoverageCommand.self, ExportCommand.self, TailCommand.self, ReplayCommand.self,
      TopCommand.self,
      ServiceCommand.self,
    ]
  )

  /// The version of the program.
  static let version = "0.1.0"
}
