// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import Logging
import Transport

/// A stream from the options to its end: what `record` and `stream` have in common.
struct LiveStream {
  let connection: ConnectionOptions
  let instruments: InstrumentOptions
  let feeds: FeedOptions
  let limits: LimitOptions
  let logger: Logger
  /// Who else sees the events, besides the sink that they are for.
  var companions: [any EventSink] = []
  /// Whether the merged quotes are kept for somebody to look at.
  var keepsBook = false
  /// Whether instruments are streamed in their trading hours only.
  var keepsSessions = false
  /// Told of the stream before it runs, and of what follows the trading hours, if that was asked for.
  var whenMade: (@Sendable (IbkrWsClient, TradingSessions?) -> Void)?
  /// Whether the bars of gaps are asked for.
  var fillsGaps = false
  /// What else is to be filled, at the time at which the stream begins, in nanoseconds since 1970.
  var backfills: @Sendable (Int64) -> [Backfill] = { _ in [] }

  /// Streams into a sink until somebody or something ends it.
  ///
  /// - Parameters:
  ///   - sink: Where the events go.
  ///   - stop: What ends the stream.
  ///   - countsMessages: Whether the monitor ends the stream after the wanted number of messages;
  ///     a sink that counts its own lines does it better.
  ///   - learn: Told of the instruments before anything streams.
  /// - Returns: What was counted.
  /// - Throws: What kept the stream from starting, or the sink from working.
  func run(
    into sink: some EventSink,
    stop: Stop,
    countsMessages: Bool = true,
    learn: ([Instrument]) async throws -> Void
  ) async throws -> Monitor.Counts {
    let names = try instruments.names()
    return try await connection.withServer { read in
      let configuration = try read()
      if configuration.trust.isInsecure {
        logger.warning(
          "the server's certificate is not verified: whoever sits in between can read and change everything"
        )
      }
      return try await run(
        configuration,
        names,
        into: sink,
        stop,
        countsMessages: countsMessages,
        learn: learn
      )
    }
  }

  private func run(
    _ configuration: IbkrConfiguration,
    _ names: [InstrumentName],
    into sink: some EventSink,
    _ stop: Stop,
    countsMessages: Bool,
    learn: ([Instrument]) async throws -> Void
  ) async throws -> Monitor.Counts {
    let client = try IbkrClient(configuration: configuration, logger: logger)
    // Whatever happens: with OAuth the session is given back.
    do {
      let counts = try await run(
        with: client,
        names,
        into: sink,
        stop,
        countsMessages: countsMessages,
        learn: learn
      )
      await client.close()
      return counts
    } catch {
      await client.close()
      throw error
    }
  }

  private func run(
    with client: IbkrClient,
    _ names: [InstrumentName],
    into sink: some EventSink,
    _ stop: Stop,
    countsMessages: Bool,
    learn: ([Instrument]) async throws -> Void
  ) async throws -> Monitor.Counts {
    let found = try await stop.unlessAsked {
      try await lookUp(names, with: client)
    }
    guard let found else { return Monitor.Counts() }
    try await learn(found)

    var patience = try connection.streamConfiguration()
    patience.keepsBook = keepsBook
    patience.fillsGaps = fillsGaps
    let stream = IbkrWsClient(ibkrClient: client, configuration: patience, logger: logger)
    let monitor = Monitor(logger: logger, limit: countsMessages ? limits.count : nil) {
      stop.finish()
    }
    // Before the stream runs, so that the sinks see it from its first event.
    let attached = stream.attach(CountedSink(sink, by: monitor))
    stream.attach(monitor, matching: .lifecycle)
    for companion in companions { stream.attach(companion) }
    let surrender = Surrender(limits, on: client.loop) { stop.finish() }
    if limits.maxOutage != nil || limits.exitOnTakeover {
      stream.attach(surrender, matching: .lifecycle)
    }
    let targets = try zip(names, found).map { try target($0, $1) }
    let sessions = keepsSessions ? TradingSessions(targets, logger: logger) : nil
    whenMade?(stream, sessions)
    if sessions == nil {
      for feed in targets.flatMap(\.feeds) { try await stream.want(feed) }
    }
    for feed in feeds.feedsOfAll { try await stream.want(feed) }
    await stream.fill(backfills(client.loop.timestamp().realtime))
    let conid = found.first?.conid
    var greetings: EventStream?
    if let account = client.configuration.accountID {
      for feed in try feeds.feeds(of: [account], conid: conid) { try await stream.want(feed) }
    } else if feeds.needsAccounts {
      greetings = stream.events(matching: .messages([.accounts]))
    }
    try await Self.run(stream, sink: attached, until: stop) { [greetings] in
      async let following: Void = follow(sessions, stream, client, until: stop)
      if let greetings { try await subscribe(stream, as: greetings, conid: conid) }
      try await following
    }
    if let failure = surrender.failure { throw failure }
    return monitor.counts
  }

  /// Keeps to the trading hours, if that was asked for, until the stream is to end.
  private func follow(
    _ sessions: TradingSessions?,
    _ stream: IbkrWsClient,
    _ client: IbkrClient,
    until stop: Stop
  ) async throws {
    guard let sessions else { return }
    _ = try await stop.unlessAsked {
      try await sessions.run(stream, on: client.loop) { target throws(IbkrError) in
        try await client.tradingHours(of: target.conid, exchange: target.exchange)
      }
    }
  }

  /// Subscribes to the feeds of the accounts that the server names when it greets.
  private func subscribe(
    _ stream: IbkrWsClient,
    as greetings: EventStream,
    conid: Int?
  ) async throws {
    for try await event in greetings {
      guard case .message(let message) = event, let accounts = message.accounts?.accounts,
        !accounts.isEmpty
      else { continue }
      for feed in try feeds.feeds(of: accounts, conid: conid) { try await stream.want(feed) }
      return
    }
  }

  /// Turns names into instruments; with `--wait` for as long as it takes.
  private func lookUp(
    _ names: [InstrumentName],
    with client: IbkrClient
  ) async throws -> [Instrument] {
    let lookUp = InstrumentLookUp(
      options: instruments.cache,
      isSimulated: connection.simulate,
      logger: logger
    )
    var delay = Duration.seconds(1)
    while true {
      do throws(IbkrError) {
        return try await lookUp.instruments(names, with: client)
      } catch {
        guard connection.wait, error.isWorthWaiting else { throw error }
        logger.warning("\(error)", metadata: ["retry_s": "\(delay.components.seconds)"])
        try await client.loop.sleep(for: delay)
        delay = min(delay * 2, .seconds(60))
        // A login that the server has ended does not come back by itself.
        if client.usesOAuth, error.code == .authentication || error.code == .sessionGone {
          try? await client.oauthInit()
        }
      }
    }
  }

  /// What is wanted of an instrument.
  private func target(
    _ name: InstrumentName,
    _ instrument: Instrument
  ) throws -> TradingSessions.Target {
    // With a symbol the exchange has told namesakes apart; with a conid it is where data comes from.
    let exchange = name.conid == nil ? nil : name.exchange
    let fields = instruments.fields?.fields ?? MarketDataField.standard
    let quotes: MarketDataFeed = try .marketData(
      conid: instrument.conid,
      exchange: exchange,
      fields: fields
    )
    let others = try feeds.feeds(conid: quotes.conid, exchange: quotes.exchange)
    return TradingSessions.Target(
      name: instrument.symbol,
      conid: instrument.conid,
      exchange: exchange,
      feeds: [quotes] + others
    )
  }

  /// Runs a stream until it is to end, or its sink has.
  private static func run(
    _ stream: IbkrWsClient,
    sink: AttachedSink,
    until stop: Stop,
    beside other: @escaping @Sendable () async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await stream.run() }
      group.addTask {
        _ = await stop.reason()
        await stream.stop()
      }
      group.addTask {
        defer { stop.finish() }
        try await sink.finished()
      }
      group.addTask { try await other() }
      defer { group.cancelAll() }
      // The first three end when any of them does: the run closes the sink, and an ended sink stops
      // the run. The last one's events end with the run.
      var failure: (any Error)?
      for _ in 0..<4 {
        do {
          try await group.next()
        } catch {
          failure = failure ?? error
          stop.finish()
        }
      }
      if let failure { throw failure }
    }
  }
}

extension IbkrError {
  /// Whether the server may be usable a while later.
  fileprivate var isWorthWaiting: Bool {
    switch code {
    case .network, .timeout, .authentication, .sessionGone, .competing, .server, .rateLimited:
      true
    default: false
    }
  }
}
