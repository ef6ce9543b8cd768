// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
public import Logging
public import Transport
import WebSocket

/// The stream: one connection after another to IBKR's WebSocket, and everything that comes of it.
///
/// ``run()`` connects, keeps the session and the subscriptions alive, and reconnects for ever; it is
/// the owner of all tasks and returns after ``stop()``. What happens is handed to any number of
/// subscribers (``events(matching:buffering:)``), feeds (``subscribe(_:buffering:)``) and sinks
/// (``attach(_:matching:)``), in one order and each at its own pace.
///
/// The actor lives on the I/O thread, together with the connection.
public actor IbkrWsClient {
  enum Phase {
    case idle, running, stopping, ended
  }

  /// The REST side, which gives the session.
  public nonisolated let ibkrClient: IbkrClient

  /// How patient the stream is.
  public nonisolated let configuration: StreamConfiguration

  /// The I/O thread.
  public nonisolated var loop: EventLoop { ibkrClient.loop }

  /// The I/O thread, as the executor of this actor.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    loop.asUnownedSerialExecutor()
  }

  /// Whether the REST side ends with the run.
  nonisolated let ownsClient: Bool

  /// Every quote that is subscribed to, merged: what is known of it as of now.
  public nonisolated let book: Book

  nonisolated let board = StateBoard()
  nonisolated let broadcast: Broadcast
  nonisolated let space: SpaceSignal
  nonisolated let logger: Logger
  nonisolated let attachments: AsyncStream<AttachedSink>
  nonisolated let attachmentInput: AsyncStream<AttachedSink>.Continuation

  var phase = Phase.idle
  var intake = Intake()
  var supervisor: SessionSupervisor
  var reconciler: SubscriptionReconciler
  var gaps = GapTracker()
  var heartbeat: HeartbeatMonitor
  var pings: PingMonitor
  var jitter: Jitter

  /// The connection, from the open WebSocket to its end.
  var connection: WebSocketConnection?
  /// Where commands wait for the sender of this connection.
  var outbox: AsyncStream<OutgoingCommand>.Continuation?
  /// Why we end the connection ourselves.
  var verdict: ConnectionLoss?
  /// Whether any connection has ever been greeted: from then on no fault ends the run.
  var hasBeenGreeted = false
  /// What the run ends with, once that is decided.
  var failure: IbkrError?
  /// The session of the last tickle, for the handshake and for a server that asks for it again.
  var cookie: Tickle?

  /// Judges the silence of single subscriptions.
  var silence = SilenceWatch()
  var nextLook: Int64?
  /// Those that have been asked for their image, with what had been heard of them until then.
  var suspects: [UInt32: FeedLife] = [:]
  /// Until when no reconnection is made for the sake of a subscription.
  var lastRescue: [UInt32: Int64] = [:]
  var tradingHours: [Int: TradingHours] = [:]
  nonisolated let checks: AsyncStream<SubscriptionKey>
  nonisolated let checkInput: AsyncStream<SubscriptionKey>.Continuation

  /// Says when orders and executions are asked for by REST.
  var orders: OrderSync

  /// Says when the bars of gaps are asked for by REST.
  var backfills = BackfillQueue()

  var timer: TimerToken?
  var greetingDeadline: Int64?
  var nextTic: Int64?
  var sleepers: [Sleeper: CheckedContinuation<Void, Never>] = [:]
  /// Those who were to be woken while they did not sleep.
  var woken: Set<Sleeper> = []

  /// The last proof of life, and the number of its event.
  var lastAlive: Timestamp
  var lastSeq: UInt64 = 0
  /// The gap that is open because a subscriber loses events.
  var overflow: Gap?

  /// Creates a stream; ``run()`` starts it.
  ///
  /// - Parameters:
  ///   - ibkrClient: The REST side, whose I/O thread the stream shares.
  ///   - configuration: How patient the stream is.
  ///   - logger: Where to tell what a person may want to know.
  public init(
    ibkrClient: IbkrClient,
    configuration: StreamConfiguration = StreamConfiguration(),
    logger: Logger = Logger(label: "ibkr")
  ) {
    self.init(ibkrClient, ownsClient: false, configuration, logger)
  }

  init(
    _ ibkrClient: IbkrClient,
    ownsClient: Bool,
    _ configuration: StreamConfiguration,
    _ logger: Logger
  ) {
    self.ibkrClient = ibkrClient
    self.ownsClient = ownsClient
    self.configuration = configuration
    self.logger = logger
    let space = SpaceSignal()
    self.space = space
    broadcast = Broadcast { space.raise() }
    let loop = ibkrClient.loop
    book = Book { loop.now }
    reconciler = SubscriptionReconciler(timing: configuration.timing)
    orders = OrderSync(timing: configuration.orderTiming)
    heartbeat = HeartbeatMonitor(limit: configuration.heartbeatTimeout)
    pings = PingMonitor(
      interval: configuration.pingInterval,
      patience: configuration.pongTimeout
    )
    var jitter = Jitter(seed: configuration.seed)
    supervisor = SessionSupervisor(
      SessionSupervisor.Rules(configuration, ibkrClient),
      random: Jitter(seed: jitter.next())
    )
    self.jitter = jitter
    lastAlive = ibkrClient.loop.timestamp()
    // Each subscription is in it once, as long as it is stale.
    (checks, checkInput) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1_000))
    // Sinks are attached by the program's own code, a handful in a run.
    (attachments, attachmentInput) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
  }

  /// How the session is.
  public var sessionState: SessionState { supervisor.state }

  /// When market data is asked for again the next time, on the monotonic clock; nil while none
  /// streams.
  package var nextRenewal: Int64? { reconciler.nextRenewal }

  /// How many messages were of no known sort.
  public var unrecognisedCount: Int { intake.router.unrecognised }

  // MARK: - Telling

  /// Tells of something that happened here, and hands on everything that has been gathered.
  func tell(_ event: OwnEvent) {
    let now = loop.timestamp()
    var event = event
    var filling: [Backfill] = []
    if configuration.fillsGaps, case .gap(var gap) = event {
      filling = gap.backfills
      gap.willBeFilled = !filling.isEmpty
      event = .gap(gap)
    }
    intake.builder.append(event, realtime: now.realtime, monotonic: now.monotonic)
    publish(isEssential: true)
    if !filling.isEmpty { addBackfills(filling) }
  }

  /// Hands on what has been gathered.
  func publish(isEssential: Bool = false) {
    guard let batch = intake.builder.take() else { return }
    // First the states: whoever hears of an event finds them as it left them, or newer.
    if configuration.keepsBook { book.merge(batch) }
    board.note(batch)
    broadcast.publish(batch, isEssential: isEssential)
  }
}

extension IbkrWsClient {
  /// A command on its way to the server, or a ping.
  struct OutgoingCommand: Sendable {
    let text: String
    let topic: Topic
    var isPing = false

    static let ping = OutgoingCommand(text: "", topic: .unrecognised, isPing: true)
  }
}
