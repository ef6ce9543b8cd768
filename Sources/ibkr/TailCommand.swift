// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Flow
import Recording
import Transport

/// `ibkr tail`: the end of a recording, and what is added to it.
struct TailCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tail",
    abstract: "Print the last lines of a recording, and with -f what is added.",
    discussion: """
      Examples:
        ibkr tail data
        ibkr tail -f data --channels quote,gap --symbols AAPL,MSFT | jq .bid

      Lines of several channels and instruments come in the order of their numbers. With -f the \
      command follows the recording into new parts, new days and new runs, through sealing and \
      compression, until Ctrl-C.
      """
  )

  @Argument(
    help: ArgumentHelp("The recording's directory.", valueName: "path"),
    completion: .directory
  )
  var path: String

  @Flag(name: .shortAndLong, help: "Go on with what is added.")
  var follow = false

  @Option(
    name: [.customShort("n"), .long],
    help: ArgumentHelp("How many of the last lines.", valueName: "n")
  )
  var lines = 10

  @Option(
    help: ArgumentHelp(
      "What to print: \(ChannelList.help). Without it quote and gap.",
      valueName: "channel,…"
    ),
    transform: ChannelList.parse
  )
  var channels: ChannelList?

  @Option(help: ArgumentHelp("Only these instruments, by their names.", valueName: "symbol,…"))
  var symbols: String?

  @OptionGroup(title: "Limits") var limits: EndOptions
  @OptionGroup(title: "Logging") var log: LogOptions

  func validate() throws {
    if lines < 0 { throw ValidationError("-n takes a number that is not below zero") }
  }

  func run() async throws {
    let reader = try RecordingReader(directory: path)
    var tail = RecordingTail(
      of: reader,
      channels: channels?.channels ?? [.quote, .gap],
      symbols: Set(symbols?.split(separator: ",").map(String.init) ?? [])
    )
    var left = limits.count ?? .max
    guard print(try tail.last(lines), &left), follow else { return }
    let loop = try EventLoop(name: "tail")
    defer { loop.stop() }
    let stop = try Stop(after: limits.duration?.duration)
    while true {
      // A recorder writes at most five times a second.
      let pause = try await stop.unlessAsked {
        try await loop.sleep(for: .milliseconds(200))
        return true
      }
      let lines = try tail.next(at: loop.timestamp().realtime)
      guard print(lines, &left), pause != nil else { return }
    }
  }

  /// Prints lines.
  ///
  /// - Returns: Whether more are wanted, and anybody reads them.
  private func print(_ lines: [[UInt8]], _ left: inout Int) -> Bool {
    for line in lines {
      guard left > 0, Output.write(line, to: 1) else { return false }
      left -= 1
    }
    return left > 0
  }
}
