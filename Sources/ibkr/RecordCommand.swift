// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import IBKR
import Glibc
import Logging
import Recording
import Transport

/// `ibkr record`: the main job.
struct RecordCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record",
    abstract: "Record market data to disk.",
    discussion: """
      Examples:
        ibkr record AAPL MSFT --simulate -o data --duration 10s
        ibkr record AAPL --pin sha256/… -o data
        ibkr record 265598 --gateway https://host:5000/v1/api --ca ca.pem -o data
        ibkr record -f watchlist.txt -o data --channels raw,quote --strict
        ibkr record -f watchlist.txt -o data --rotate 1h --keep 90d,500GB
        ibkr record AAPL -o data --feeds order,trade,pnl,history --bars 1d/5min
        ibkr record -f watchlist.txt -o data --dry-run
        ibkr record AAPL -o data --session --until 16:00@America/New_York

      Writes NDJSON files below the directory: ch=raw is the log of every message, exact \
      but for secrets; ch=quote the merged quotes; ch=gap the times in which data is \
      missing. A line is in its file after 200 ms. Ctrl-C ends it well: everything is \
      written, sealed and synced. SIGHUP ends the open parts and begins new ones. What a \
      crash has left in the directory is put right before anything is recorded.

      On a terminal a line tells how it is getting on, elsewhere a line of the log each \
      minute; -q leaves both out. The disk's pace is that before compression.
      """
  )

  @OptionGroup var instruments: InstrumentOptions

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("The directory to record into; it is created if missing.", valueName: "dir"),
    completion: .directory
  )
  var directory: String

  @Option(
    help: ArgumentHelp(
      "What to record: \(ChannelList.help). Without it raw, quote, gap, status and those of --feeds.",
      valueName: "channel,…"
    ),
    transform: ChannelList.parse
  )
  var channels: ChannelList?

  @OptionGroup var feeds: FeedOptions

  @Option(
    help: ArgumentHelp(
      "Whether the bars of a gap are asked for when it is over: on or off.",
      discussion: "On, which is the default, they are in ch=bar a minute later, behind everything "
        + "else that is asked; so are those of the last week's gaps that have none yet. With "
        + "--channels it is on if raw, bar and status are among them."
    )
  )
  var backfill: Switch?

  @Option(help: "The folders of quotes: date,symbol or date, for many instruments.")
  var partition = Partition.dateAndSymbol

  @Option(help: "How times are written: ns since 1970, or iso (one way in one directory).")
  var time = TimeFormat.nanoseconds

  @Option(help: "Whether account ids become acct-1, acct-2, … or are kept.")
  var accountIds = AccountIDs.alias

  @Option(
    help: "When the log is made to survive a power loss: never, 1s or batch (after every write).",
    transform: Self.synchronization
  )
  var fsync = NDJSONFileSink.Configuration.Synchronization.everySecond

  @Option(
    help: ArgumentHelp(
      "End each part after so long or so many bytes, and at midnight UTC: 1h, 100MB, 1h,100MB.",
      valueName: "limit"
    )
  )
  var rotate: SizeAndTime?

  @Option(
    help: "How sealed parts are compressed: gz, zstd or none.",
    transform: Self.compression
  )
  var compress = Compression.gz

  @Option(
    help: ArgumentHelp(
      "Remove sealed parts that are older, or the oldest above so many bytes: 90d, 500GB, 90d,500GB.",
      valueName: "limit"
    )
  )
  var keep: SizeAndTime?

  @Option(
    help: ArgumentHelp(
      "Write nothing while less than this is free on the disk.",
      valueName: "size"
    ),
    transform: Self.byteCount
  )
  var minFree = 64 << 20

  @Option(
    help: ArgumentHelp(
      "Answer how the recording is getting on: /metrics, /healthz and /status by HTTP.",
      discussion: "As in 127.0.0.1:9464 or, for this machine alone, :9464. Port 0 takes any.",
      valueName: "address"
    )
  )
  var metrics: MetricsAddress?

  @Flag(help: "End with exit code 5 if data is missing from the recording.")
  var strict = false

  @Flag(help: "Print a summary as one JSON line on standard output at the end.")
  var json = false

  @Flag(help: "Record each instrument in its trading hours only, extended hours included.")
  var session = false

  @Flag(
    help: "Say what would be recorded, where, and what it would take; write nothing."
  )
  var dryRun = false

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup(title: "Limits") var limits: LimitOptions
  @OptionGroup(title: "Logging") var log: LogOptions

  /// Something that is on or off.
  enum Switch: String, ExpressibleByArgument, CaseIterable {
    case on, off
  }

  /// Whether bars are asked for: only where they can be kept, and what came of them be told.
  var fillsGaps: Bool {
    (backfill ?? .on) == .on
      && channels.map { Self.backfillChannels.isSubset(of: $0.channels) } ?? true
  }

  private static let backfillChannels: Set<Channel> = [.raw, .bar, .status]

  func validate() throws {
    guard backfill == .on, !fillsGaps else { return }
    throw ValidationError("--backfill on needs raw, bar and status in --channels")
  }

  /// What happens to account ids.
  enum AccountIDs: String, ExpressibleByArgument, CaseIterable {
    case alias, keep
  }

  private static func synchronization(
    _ text: String
  ) throws -> NDJSONFileSink.Configuration.Synchronization {
    guard let value = NDJSONFileSink.Configuration.Synchronization(rawValue: text) else {
      throw ValidationError("'\(text)' is none of never, 1s and batch")
    }
    return value
  }

  private static func compression(_ text: String) throws -> Compression {
    guard let compression = Compression(rawValue: text) else {
      throw ValidationError("'\(text)' is none of gz, zstd and none")
    }
    if let reason = compression.codec?.unavailability { throw ValidationError(reason) }
    return compression
  }

  private static func byteCount(_ text: String) throws -> Int {
    guard let count = ByteCount(text[...]) else {
      throw ValidationError("'\(text)' is no number of bytes: write 100MB or 2GB")
    }
    return count.bytes
  }

  /// What the sink is told.
  var sinkConfiguration: NDJSONFileSink.Configuration {
    var configuration = NDJSONFileSink.Configuration(directory: directory)
    configuration.channels =
      channels?.channels
      ?? Channel.standard.union(feeds.channels).union(fillsGaps ? [.bar] : [])
    configuration.partition = partition
    configuration.timeFormat = time
    configuration.keepsAccounts = accountIds == .keep
    configuration.synchronization = fsync
    if let rotate { configuration.rotation = Rotation(size: rotate.size, interval: rotate.time) }
    configuration.codec = compress.codec
    if let keep { configuration.retention = Retention(age: keep.time, size: keep.size) }
    configuration.minimumFree = minFree
    configuration.tool = "ibkr \(IBKRCommand.version)"
    configuration.settings = [
      "channels": configuration.channels.map(\.rawValue).sorted().joined(separator: ","),
      "symbols": instruments.symbols.joined(separator: " "),
      "feeds": feeds.channels.map(\.rawValue).sorted().joined(separator: ","),
      "backfill": fillsGaps ? "on" : "off",
      "fsync": fsync.rawValue,
      "account_ids": accountIds.rawValue,
      "simulate": "\(connection.simulate)",
    ]
    return configuration
  }

  func run() async throws {
    guard !dryRun else { return try await RecordBudget(self).run() }
    let logger = log.logger()
    let hangup = Hangup()
    let end = try limits.moment(after: EventLoop.realtime)
    let stop = try Stop(after: limits.duration?.duration, at: end) { hangup.happened() }
    if let end { logger.info("recording until \(TimeText.text(end))") }
    let sink = try NDJSONFileSink(sinkConfiguration) { notice in
      switch notice {
      case .failed(let error): logger.error("\(error); what has come is kept and tried again")
      case .recovered: logger.notice("the disk takes data again")
      case .sealingFailed(let error): logger.error("\(error); the part stays open for now")
      }
    }
    hangup.whenItHappens { Task { try? await sink.rotate() } }
    // An unusable directory shall be known before anybody is bothered.
    try await sink.open()
    let counts: Monitor.Counts
    do {
      let watch = try Watch(
        sink,
        at: metrics?.address,
        environment: ProcessEnvironment.variables,
        logger: logger
      )
      var stream = LiveStream(
        connection: connection,
        instruments: instruments,
        feeds: feeds,
        limits: limits,
        logger: logger
      )
      let status = try RecordStatus(sink, log, logger)
      stream.keepsSessions = session
      stream.companions = [watch?.monitor, status?.monitor].compactMap(\.self)
      stream.whenMade = { status?.watch($0, $1) }
      stream.fillsGaps = fillsGaps
      if fillsGaps {
        stream.backfills = { [directory] in
          Self.unsettledGaps(in: directory, at: $0, logger)
        }
      }
      let record = { [stream] in
        try await stream.run(into: sink, stop: stop) { found in
          try await sink.learn(found)
          watch?.learn(found)
          logger.info("recording \(found.count) instruments into \(directory)")
        }
      }
      let told = { if let status { try await status.during(record) } else { try await record() } }
      counts = if let watch { try await watch.during(told) } else { try await told() }
    } catch {
      // The stream closes the sink if it came that far; twice does no harm.
      try? await sink.close()
      throw error
    }
    try await sink.close()
    summarize(counts, logger)
    if strict, counts.gaps > 0 { throw GapsFound(gaps: counts.gaps) }
  }

  /// What earlier runs have left to ask; a recording that cannot be read is no reason not to record.
  private static func unsettledGaps(
    in directory: String,
    at realtime: Int64,
    _ logger: Logger
  ) -> [Backfill] {
    do {
      return try GapFilling(directory: directory).unsettled(at: realtime)
    } catch {
      logger.warning("the gaps of before are not filled: \(error)")
      return []
    }
  }

  private func summarize(_ counts: Monitor.Counts, _ logger: Logger) {
    logger.info("recorded \(counts.messages) market-data messages, \(counts.gaps) gaps")
    guard json else { return }
    Output.write("{\"messages\":\(counts.messages),\"gaps\":\(counts.gaps)}\n", to: 1)
  }
}
