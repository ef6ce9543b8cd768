// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import IBKR
import Logging
import Recording

/// `ibkr stream`: to standard output.
struct StreamCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stream",
    abstract: "Stream market data to standard output.",
    discussion: """
      A table on a terminal; in a pipe, or with --json, NDJSON with the columns of a recording.

      Examples:
        ibkr stream AAPL MSFT --simulate
        ibkr stream EUR.USD -c 10 --ca ca.pem | jq .bid
        ibkr stream AAPL --simulate --channels raw --duration 5s

      To keep what comes, use: ibkr record AAPL -o data
      """
  )

  @OptionGroup var instruments: InstrumentOptions

  @Option(
    help: ArgumentHelp(
      "What to print: \(ChannelList.help). Without it quote and gap.",
      valueName: "channel,…"
    ),
    transform: ChannelList.parse
  )
  var channels: ChannelList?

  @OptionGroup var feeds: FeedOptions

  @Option(help: "How times are printed: ns since 1970, or iso.")
  var time = TimeFormat.nanoseconds

  @Flag(help: "Print NDJSON on a terminal too.")
  var json = false

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup(title: "Limits") var limits: LimitOptions
  @OptionGroup(title: "Logging") var log: LogOptions

  func run() async throws {
    let logger = log.logger()
    let stop = try Stop(after: limits.duration?.duration)
    let stream = LiveStream(
      connection: connection,
      instruments: instruments,
      feeds: feeds,
      limits: limits,
      logger: logger
    )
    do {
      if isatty(STDOUT_FILENO) == 1, !json, channels == nil, feeds.channels.isEmpty {
        let table = try QuoteTable()
        _ = try await stream.run(into: table, stop: stop) { await table.learn($0) }
      } else {
        let sink = try StdoutSink(sinkConfiguration)
        _ = try await stream.run(into: sink, stop: stop, countsMessages: false) {
          await sink.learn($0)
        }
        let dropped = await sink.dropped
        if dropped > 0 {
          logger.warning("\(dropped) events were dropped: nobody read them in time")
        }
      }
    } catch is StdoutSink.Finished {
      // Everything that was wanted is printed, or nobody reads any more.
    }
  }

  private var sinkConfiguration: StdoutSink.Configuration {
    var configuration = StdoutSink.Configuration()
    configuration.channels = channels?.channels ?? configuration.channels.union(feeds.channels)
    configuration.timeFormat = time
    configuration.maximumLines = limits.count
    return configuration
  }
}
