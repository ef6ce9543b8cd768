// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import IBKR
import Transport

/// `ibkr auth setup`: the keys of a new consumer.
struct AuthSetupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "setup",
    abstract: "Make the keys for OAuth 1.0a, and say what to upload where.",
    discussion: """
      Examples:
        ibkr auth setup -o keys

      Two RSA key pairs of 2048 bits, fresh Diffie-Hellman parameters (seconds as a rule, now \
      and then minutes), and ibind.env, the file of variables to fill in. Only you can read them, \
      and nothing is ever overwritten.
      """
  )

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("The folder to write to; it is created if missing.", valueName: "dir"),
    completion: .directory
  )
  var directory = "keys"

  @OptionGroup(title: "Logging") var log: LogOptions

  func run() async throws {
    let folder = try KeyFolder(path: directory)
    let stop = try Stop()
    let loop = try EventLoop(name: "keys")
    defer { loop.stop() }
    let progress = Progress()
    let isDone: Bool? = try await stop.unlessAsked {
      // On a thread of its own: this takes a while, and the pool is for what does not.
      try await withTaskExecutorPreference(loop) {
        try folder.fill { candidates in
          progress.show(candidates)
          return !Task.isCancelled
        }
      }
      return true
    }
    progress.clear()
    guard isDone != nil else { throw IbkrError(.closed, "stopped: no keys were made") }
    Output.write(Self.instructions(folder.path), to: STDOUT_FILENO)
  }

  /// What there is now, and what to do with it.
  static func instructions(_ path: String) -> String {
    """
    In \(path), for your eyes only:

      private_signature.pem     stays here; signs requests
      private_encryption.pem    stays here; opens the access token secret
      public_signature.pem      upload as "Public Signing Key"
      public_encryption.pem     upload as "Public Encryption Key"
      dhparam.pem               upload as "Diffie-Hellman Parameters"
      ibind.env                 the variables; three of them are yours to fill in

    What to do with them:

      1. Log in at https://ndcdyn.interactivebrokers.com/sso/Login?action=OAUTH&RL=1&ip2loc=US
         with the user name that the program is to have. A paper account has its own.
      2. Choose a consumer key of nine capital letters, and save it.
      3. Upload the three files, each in its place: signing and encryption are easily swapped.
      4. Generate the token, and copy consumer key, Access Token and Access Token Secret into
         ibind.env at once: the page does not show them again. Generating again makes the old
         secret worthless.
      5. Switch OAuth access on, on the same page.
      6. Look at what you have:
           set -a; . \(ShellWord.quoted("\(path)/ibind.env")); set +a
           ibkr auth check
      7. A new consumer key works after IBKR's next nightly restart, at times only after the
         weekend's; until then it is "invalid consumer". Then: ibkr doctor

    Keep a copy of the folder: if it is lost, all of this begins again.

    """
  }

  /// A line on a terminal that says how far the search for a prime has come.
  private final class Progress: Sendable {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let start = ContinuousClock.now

    func show(_ candidates: Int) {
      guard isTerminal, candidates.isMultiple(of: 10) else { return }
      let seconds = (ContinuousClock.now - start).components.seconds
      Output.write(
        "\rlooking for a prime: \(candidates) candidates, \(seconds) s ",
        to: STDERR_FILENO
      )
    }

    func clear() {
      if isTerminal { Output.write("\r\u{1B}[K", to: STDERR_FILENO) }
    }
  }
}
