// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import IBKR
import Logging
import Recording
import Transport

/// `ibkr replay`: a recording once more.
struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Play a recording again: printed, recorded once more, or as a gateway.",
    discussion: """
      Examples:
        ibkr replay data | jq .bid
        ibkr replay data --speed 10 --symbols AAPL --from 2026-11-23T14:30 --to 2026-11-23T15:00
        ibkr replay data -o copy
        ibkr replay data --serve --port 5000 --ca-out ca.pem --speed 1

      Plays the log of a recording. What is printed, or recorded with -o, has the runs, numbers \
      and times that it had, so the same recording always gives the same lines. Without \
      --speed it is played as fast as it is taken.

      With --serve it is a gateway whose market data is the recording's, for any client. The \
      first line of standard output is its address. It begins when the first client has \
      subscribed, and serves until Ctrl-C.
      """
  )

  @Argument(
    help: ArgumentHelp("The recording's directory.", valueName: "path"),
    completion: .directory
  )
  var path: String

  @Option(help: "How fast: 1 as it was recorded, N so many times as fast, or max.")
  var speed = SpeedRule.maximum

  @OptionGroup var excerpt: ExcerptOptions

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("Record into this directory instead of printing.", valueName: "dir"),
    completion: .directory
  )
  var directory: String?

  @Option(
    help: ArgumentHelp(
      "What to print or record: \(ChannelList.help). Without it quote and gap are printed, and "
        + "what is recorded by default is recorded.",
      valueName: "channel,…"
    ),
    transform: ChannelList.parse
  )
  var channels: ChannelList?

  @Option(
    name: [.customShort("c"), .long],
    help: ArgumentHelp("Print so many lines at most.", valueName: "n")
  )
  var count: Int?

  @Option(
    help: ArgumentHelp(
      "With -o: end each part after so long or so many bytes, and at midnight UTC: 1h, 100MB.",
      valueName: "limit"
    )
  )
  var rotate: SizeAndTime?

  @Flag(help: "Serve the market data to clients, as a simulated gateway.")
  var serve = false

  @Option(help: "With --serve: the port on 127.0.0.1; 0 takes any that is free.")
  var port: UInt16 = 0

  @Option(
    help: ArgumentHelp(
      "With --serve: write the certificate authority to trust to this PEM file.",
      valueName: "file"
    ),
    completion: .file()
  )
  var caOut: String?

  @OptionGroup(title: "Logging") var log: LogOptions

  func validate() throws {
    if let count, count < 1 { throw ValidationError("--count takes a number above zero") }
    if count != nil, directory != nil {
      throw ValidationError("--count is for printing: leave it or -o out")
    }
    if serve, directory != nil || count != nil || channels != nil {
      throw ValidationError("--serve excludes -o, --count and --channels")
    }
    if !serve, port != 0 || caOut != nil {
      throw ValidationError("--port and --ca-out are for --serve")
    }
  }

  func run() async throws {
    let logger = log.logger(unlessAsked: .warning)
    let reader = try RecordingReader(directory: path)
    var configuration = Replay.Configuration()
    configuration.excerpt = try excerpt.excerpt(of: reader)
    configuration.speed = speed.speed
    let replay = try Replay(directory: path, configuration: configuration)
    let stop = try Stop()
    if serve {
      let server = ReplayServer(
        replay: replay,
        instruments: try reader.instruments(),
        port: port,
        caPath: caOut,
        logger: log.logger()
      )
      return try await server.run(until: stop)
    }
    let attached = try attach(to: replay, logger)
    let began = ContinuousClock.now
    let watcher = Task {
      if await stop.reason() != nil { await replay.stop() }
    }
    defer { watcher.cancel() }
    // A sink that has ended takes nothing more, so the replay goes on alone to its end, or is ended.
    let ending = Task {
      do {
        try await attached.finished()
      } catch {
        stop.finish()
        throw error
      }
    }
    try await replay.run()
    do {
      try await ending.value
    } catch is StdoutSink.Finished {
      // Everything that was wanted is printed, or nobody reads any more.
    }
    let events = await replay.eventCount
    let parts = (ContinuousClock.now - began).components
    let seconds = Double(parts.seconds) + Double(parts.attoseconds) / 1e18
    logger.info("\(events) events in \(seconds) s: \(Int(Double(events) / max(seconds, 1e-9)))/s")
  }

  private func attach(to replay: Replay, _ logger: Logger) throws -> AttachedSink {
    guard let directory else {
      var configuration = StdoutSink.Configuration()
      if let channels { configuration.channels = channels.channels }
      configuration.maximumLines = count
      return replay.attach(try StdoutSink(configuration))
    }
    var configuration = NDJSONFileSink.Configuration(directory: directory)
    if let channels { configuration.channels = channels.channels }
    if let rotate { configuration.rotation = Rotation(size: rotate.size, interval: rotate.time) }
    let sink = try NDJSONFileSink(configuration) { notice in
      switch notice {
      case .failed(let error): logger.error("\(error); what has come is kept and tried again")
      case .recovered: logger.notice("the disk takes data again")
      case .sealingFailed(let error): logger.error("\(error); the part stays open for now")
      }
    }
    return replay.attach(sink)
  }
}

/// How fast a recording is played, as a person says it: `1`, `10`, `0.5`, `max`.
struct SpeedRule: ExpressibleByArgument, Hashable, CustomStringConvertible {
  /// The speed.
  let speed: Replay.Speed

  /// As fast as everybody can take it.
  static let maximum = SpeedRule(speed: .maximum)

  private init(speed: Replay.Speed) {
    self.speed = speed
  }

  init?(argument: String) {
    if argument == "max" {
      speed = .maximum
    } else if let factor = Double(argument), factor >= 0.001, factor <= 1_000_000 {
      speed = .times(factor)
    } else {
      return nil
    }
  }

  var description: String {
    switch speed {
    case .maximum: "max"
    case .times(let factor): "\(factor)"
    }
  }
}
