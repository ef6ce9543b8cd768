// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
public import IBKR
public import Transport

/// A recording as a source of the events that it was made of.
///
/// It offers what `IbkrWsClient` offers to subscribers, so code that is written for an
/// `MarketSource` runs on the past unchanged. Nothing is lost and nothing is random: it waits for
/// each subscriber, whatever the subscriber's policy says, so two replays give the same events in the
/// same order at any speed. Only ``book`` may be newer than the event that a subscriber looks at, as
/// it may be on a live stream.
///
/// ```swift
/// let replay = try Replay(directory: "data")
/// async let result = trade(on: replay)  // the function that trades on a live stream
/// try await replay.run()
/// ```
public actor Replay: MarketSource {
  /// How fast the recording is played.
  public enum Speed: Sendable, Hashable {
    /// So many times as fast as it was recorded.
    case times(Double)
    /// As fast as everybody can take it.
    case maximum
  }

  /// What is played, and how.
  public struct Configuration: Sendable, Hashable {
    /// What of the recording is played.
    public var excerpt = Excerpt.everything

    /// How fast; the time between two runs of the recorder is not waited for.
    public var speed = Speed.maximum

    /// How many subscribers there must have been before anything is played, so that none misses the
    /// beginning.
    public var waitsForSubscribers = 1

    /// Creates a configuration with the defaults.
    public init() {}
  }

  /// What is played, and how.
  public nonisolated let configuration: Configuration

  /// Every quote as of the last event that was played.
  public nonisolated var book: Book { outlet.book }

  /// The thread that reads.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    loop.asUnownedSerialExecutor()
  }

  private nonisolated let outlet = Outlet()
  private nonisolated let loop: EventLoop
  private nonisolated let ownsLoop: Bool
  private let reader: RecordingReader
  private var isStopping = false
  private var hasRun = false

  /// How many events were played, with those that no subscriber wanted.
  public private(set) var eventCount = 0

  /// Prepares; nothing is read before ``run()``.
  ///
  /// - Parameters:
  ///   - directory: The recording.
  ///   - configuration: What is played, and how.
  ///   - loop: Where to live; nil for a thread of its own, which reads the disk.
  /// - Throws: ``StorageError`` if there is no such directory, `TransportError` if the system gives
  ///   no thread.
  public init(
    directory: String,
    configuration: Configuration = Configuration(),
    loop: EventLoop? = nil
  ) throws {
    try self.init(
      RecordingReader(directory: directory),
      configuration: configuration,
      loop: loop
    )
  }

  init(
    _ reader: RecordingReader,
    configuration: Configuration = Configuration(),
    loop: EventLoop? = nil
  ) throws {
    self.reader = reader
    self.configuration = configuration
    ownsLoop = loop == nil
    self.loop = try loop ?? EventLoop(name: "replay")
  }

  deinit {
    if ownsLoop { loop.stop() }
  }

  // MARK: - Subscribers

  /// Everything that is played from now on, as one subscriber sees it.
  ///
  /// - Parameters:
  ///   - filter: Which events.
  ///   - policy: How much may wait; nothing is ever dropped.
  /// - Returns: The events; they end with the recording.
  public nonisolated func events(
    matching filter: EventFilter,
    buffering policy: OverflowPolicy
  ) -> EventStream {
    outlet.events(matching: filter, buffering: policy)
  }

  /// The values of a feed, as far as they were recorded.
  ///
  /// - Parameters:
  ///   - feed: The feed; what else than its topic and target it asks for does not matter.
  ///   - policy: How much may wait; nothing is ever dropped.
  /// - Returns: The values from now on.
  /// - Throws: `IbkrError` with the code `invalidSubscription`.
  public nonisolated func subscribe<F: Feed>(
    _ feed: F,
    buffering policy: OverflowPolicy
  ) async throws(IbkrError) -> FeedStream<F> {
    try outlet.subscribe(feed, buffering: policy)
  }

  /// The key that a feed's events carry.
  ///
  /// - Parameter feed: The feed.
  /// - Returns: The key.
  /// - Throws: `IbkrError` with the code `invalidSubscription`.
  @discardableResult
  public nonisolated func want(_ feed: some Feed) async throws(IbkrError) -> SubscriptionKey {
    try outlet.want(feed)
  }

  /// Does nothing that anybody sees: what was recorded is played.
  ///
  /// - Parameter key: What ``want(_:)`` returned.
  public nonisolated func release(_ key: SubscriptionKey) async {}

  /// Hands everything that is played to a sink.
  ///
  /// The sinks of this package record each event under the number, and in the run, that it had.
  ///
  /// - Parameters:
  ///   - sink: Where the events go.
  ///   - filter: Which events.
  /// - Returns: A handle that tells when and how the sink has ended.
  @discardableResult
  public nonisolated func attach(
    _ sink: some EventSink,
    matching filter: EventFilter
  ) -> AttachedSink {
    outlet.attach(sink, matching: filter)
  }

  /// What the recorder's connection did.
  public nonisolated var connectionStates: AsyncStream<ConnectionState> {
    outlet.connectionStates
  }

  /// What was known of the recorder's session.
  public nonisolated var sessionStates: AsyncStream<SessionState> { outlet.sessionStates }

  /// How far a subscription had come.
  public nonisolated func states(of key: SubscriptionKey) -> AsyncStream<SubscriptionState> {
    outlet.states(of: key)
  }

  // MARK: - Playing

  /// Plays the recording to its end, or until ``stop()``.
  ///
  /// It returns when every sink has written what it was given.
  ///
  /// - Throws: ``StorageError``, `.damaged` for a recording that cannot be read; subscribers get what
  ///   came before that. `IbkrError` with the code `closed` if it was called before.
  public func run() async throws {
    guard !hasRun else {
      throw IbkrError(.closed, "this replay has been run already", remedy: "create another one")
    }
    hasRun = true
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await self.outlet.runSinks() }
      group.addTask { try await self.play() }
      try await group.waitForAll()
    }
  }

  /// Ends the replay: subscribers get what waits for them, and then the end.
  public func stop() {
    isStopping = true
    outlet.stopWaiting()
    pause?.cancel()
  }

  private var pause: Task<Void, Never>?
  private var clock: ReplayClock?

  private func play() async throws {
    defer { outlet.finish() }
    await outlet.waitForSubscribers(configuration.waitsForSubscribers)
    let log = try LogReader(reader, configuration.excerpt) { [outlet] in outlet.key(for: $0) }
    while !isStopping, let piece = try log.next() {
      try Task.checkCancellation()
      switch piece {
      case .run:
        outlet.forget()
        // Nobody waits for a recorder that was not there.
        clock?.restart(at: loop.now)
      case .leadIn(let batch):
        outlet.merge(batch)
      case .events(let batch):
        eventCount += batch.count
        try await publish(batch)
      }
    }
  }

  private func publish(_ batch: EventBatch) async throws {
    guard case .times(let factor) = configuration.speed else {
      outlet.publish(batch)
      return await outlet.waitForSpace()
    }
    var rest = batch
    while !rest.isEmpty, !isStopping {
      var clock = self.clock ?? ReplayClock(factor: factor, now: loop.now)
      let due = rest.records.prefix { clock.due($0.monotonic) <= loop.now }.count
      self.clock = clock
      if due > 0 {
        outlet.publish(rest.prefix(due))
        await outlet.waitForSpace()
        rest = rest.dropFirst(due)
      } else if let next = rest.records.first {
        await sleep(until: clock.due(next.monotonic))
      }
    }
  }

  private func sleep(until time: Int64) async {
    let pause = Task(executorPreference: loop) { [loop] in
      _ = try? await loop.sleep(until: time)
    }
    self.pause = pause
    await withTaskCancellationHandler {
      await pause.value
    } onCancel: {
      pause.cancel()
    }
    self.pause = nil
  }
}

/// Turns the recorded monotonic clock into that of the replay.
struct ReplayClock {
  private let factor: Double
  private var start: Int64
  /// The recorded time that `start` stands for; nil until the next event.
  private var origin: Int64?

  /// Begins now.
  ///
  /// - Parameters:
  ///   - factor: How many times as fast as recorded.
  ///   - now: The time now.
  init(factor: Double, now: Int64) {
    self.factor = factor
    start = now
  }

  /// Lets the next event be due at once.
  mutating func restart(at now: Int64) {
    start = now
    origin = nil
  }

  /// When an event is due.
  ///
  /// - Parameter monotonic: When it was recorded.
  /// - Returns: The time on the replay's clock.
  mutating func due(_ monotonic: Int64) -> Int64 {
    let origin = self.origin ?? monotonic
    self.origin = origin
    let distance = Double(monotonic - origin) / factor
    return start + Int64(min(max(distance, 0), 9e18 - Double(start)))
  }
}
