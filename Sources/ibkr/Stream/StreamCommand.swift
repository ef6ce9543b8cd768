// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import IBKR
import Logging
import Monitoring
import Recording
import Transport

/// `ibkr stream`: to standard output.
struct StreamCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stream",
    abstract: "Stream market data to standard output.",
    discussion: """
      Examples:
        ibkr stream AAPL MSFT --simulate
        ibkr stream EUR.USD -c 10 --ca ca.pem | jq .bid
        ibkr stream AAPL --fields last_price,bid_price,ask_price --csv > quotes.csv
        ibkr stream AAPL --simulate --raw --duration 5s

      On a terminal a live table: q or Ctrl-C ends it, the arrows, PgUp and PgDn scroll. In a \
      pipe, or with --json, NDJSON with the columns of a recording.

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

  @OptionGroup(title: "Form") var form: StreamForm
  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup(title: "Limits") var limits: LimitOptions
  @OptionGroup(title: "Logging") var log: LogOptions

  private func choice(on terminal: Terminal?) throws -> StreamForm.Choice {
    try form.choice(channels: channels?.channels, feeds: feeds.channels, on: terminal)
  }

  func validate() throws {
    // What cannot be printed together is known before anything is connected.
    _ = try choice(on: nil)
  }

  func run() async throws {
    let logger = log.logger()
    let stop = try Stop(
      after: limits.duration?.duration,
      at: try limits.moment(after: EventLoop.realtime)
    )
    let stream = LiveStream(
      connection: connection,
      instruments: instruments,
      feeds: feeds,
      limits: limits,
      logger: logger
    )
    let terminal = Terminal(STDOUT_FILENO, withoutColour: log.noColor)
    switch try choice(on: isatty(STDOUT_FILENO) == 1 ? terminal : nil) {
    case .screen: try await draw(stream, on: terminal, stop)
    case .lines:
      let table = try QuoteTable()
      _ = try await stream.run(into: table, stop: stop) { await table.learn($0) }
    case .records(let form, let channels): try await print(stream, form, channels, stop, logger)
    }
  }

  private func print(
    _ stream: LiveStream,
    _ form: LineForm,
    _ channels: Set<Channel>,
    _ stop: Stop,
    _ logger: Logger
  ) async throws {
    var configuration = StdoutSink.Configuration()
    configuration.channels = channels
    configuration.form = form
    configuration.timeFormat = time
    configuration.maximumLines = limits.count
    // Nobody else takes this stream: a burst waits for the reader, as in any pipe, and only who takes
    // nothing for long loses something, with a line that says so.
    configuration.overflow.action = .backpressure
    let sink = try StdoutSink(configuration)
    do {
      _ = try await stream.run(into: sink, stop: stop, countsMessages: false) {
        await sink.learn($0)
      }
    } catch is StdoutSink.Finished {
      // Everything that was wanted is printed, or nobody reads any more.
      return
    }
    let dropped = await sink.dropped
    if dropped > 0 {
      logger.warning("\(dropped) events were dropped: nobody read them in time")
    }
  }

  private func draw(_ stream: LiveStream, on terminal: Terminal, _ stop: Stop) async throws {
    let fields = instruments.fields?.fields ?? MarketDataField.standard
    let table = try QuoteScreen(fields)
    let screen = try LiveScreen(table, terminal) { stop.finish() }
    var stream = stream
    stream.keepsBook = true
    stream.whenMade = { stream, _ in table.watch(stream) }
    if let extras = table.extras { stream.companions = [extras] }
    let monitor = table.monitor
    try await screen.during { [stream] in
      _ = try await stream.run(into: monitor, stop: stop) { monitor.learn($0) }
    }
  }
}
