// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Flow
public import Transport

/// A server on this machine that behaves as IBKR's Client Portal Gateway does.
///
/// It speaks HTTPS and WebSocket over TLS, with a certificate made at the start, and lives on the
/// thread of its own event loop. What it sends is worked out by a model that knows no clock and no
/// socket, so the same seed gives the same messages.
///
/// ```swift
/// let simulator = try await GatewaySimulator.start()
/// print(simulator.url)  // https://127.0.0.1:41233/v1/api
/// try await simulator.stop()
/// ```
public actor GatewaySimulator {
  /// The address of its API, as a client is given it.
  public nonisolated let url: String

  /// The port on which it listens.
  public nonisolated let port: UInt16

  /// The certificate authority to trust, PEM.
  public nonisolated let caPEM: String

  /// The pin of the server's key, in the form of `--pin`: `sha256/…`.
  public nonisolated let pin: String

  /// Who may log in by OAuth; nil at a gateway.
  package nonisolated let user: SimulatedUser?

  /// The loop that it lives on.
  nonisolated let loop: EventLoop
  private nonisolated let ownsLoop: Bool

  /// The loop's thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  let listener: any StreamListener
  /// nil where streams come from memory and need no encryption.
  let context: TLSContext?
  var model: GatewayModel
  var outboxes: [Int: Outbox] = [:]
  var connections: [Int: Task<Void, Never>] = [:]
  /// Streams that their tasks have not taken yet.
  var arrivals: [Int: any ByteStream] = [:]
  var lastConnection = 0
  var isStopping = false
  private var timer: (token: TimerToken, time: Int64)?
  private var acceptor: Task<Void, Never>?

  /// The requests that were answered, and those that never will be, in order; the latest 10,000 at
  /// least.
  public internal(set) var requests: [ServedRequest] = []
  /// The monotonic time of the start.
  nonisolated let started: Int64

  let journal: SentJournal?
  let ledger: Ledger?
  var ledgerBuffer = LedgerBuffer()
  var ledgerLatch = Latch()
  private var ledgerWriter: Task<Void, Never>?

  private init(
    _ configuration: GatewaySimulatorConfiguration,
    listener: any StreamListener,
    context: TLSContext?,
    port: UInt16,
    caPEM: String,
    pin: String,
    loop: EventLoop,
    ownsLoop: Bool
  ) throws(GatewaySimulatorError) {
    self.listener = listener
    self.context = context
    self.port = port
    self.caPEM = caPEM
    self.pin = pin
    self.loop = loop
    self.ownsLoop = ownsLoop
    user = configuration.user
    journal = configuration.journal
    started = loop.now
    url = "\(context == nil ? "http" : "https")://127.0.0.1:\(port)/v1/api"
    ledger = if let path = configuration.ledgerPath { try Ledger(path: path) } else { nil }
    model = GatewayModel(
      configuration.options,
      scenario: configuration.scenario,
      at: loop.timestamp()
    )
  }

  /// Starts a simulator on a port of the loopback.
  ///
  /// - Parameters:
  ///   - configuration: What it is like.
  ///   - loop: The loop to live on; nil for one of its own.
  /// - Returns: The running simulator; end it with `stop()`.
  /// - Throws: `GatewaySimulatorError` if the port or the ledger cannot be had.
  public static func start(
    _ configuration: GatewaySimulatorConfiguration = GatewaySimulatorConfiguration(),
    loop: EventLoop? = nil
  ) async throws(GatewaySimulatorError) -> GatewaySimulator {
    let ownLoop = if let loop { loop } else { try makeLoop() }
    do throws(GatewaySimulatorError) {
      let configuration = try configuration.withUser()
      let (authority, identity) = try certify(configuration, at: ownLoop.timestamp())
      let (listener, context) = try listen(configuration, identity, on: ownLoop)
      let simulator = try GatewaySimulator(
        configuration,
        listener: listener,
        context: context,
        port: listener.port,
        caPEM: authority,
        pin: identity.pin,
        loop: ownLoop,
        ownsLoop: loop == nil
      )
      await simulator.begin()
      return simulator
    } catch {
      if loop == nil { ownLoop.stop() }
      throw error
    }
  }

  /// Starts a simulator whose connections come from memory, without TLS.
  ///
  /// - Parameters:
  ///   - configuration: What it is like; the port is not used.
  ///   - listener: Where the connections come from.
  ///   - loop: The loop to live on, on virtual time if wanted.
  /// - Returns: The running simulator; end it with `stop()`.
  /// - Throws: `GatewaySimulatorError` if the ledger cannot be written.
  package static func start(
    _ configuration: GatewaySimulatorConfiguration = GatewaySimulatorConfiguration(),
    listener: any StreamListener,
    loop: EventLoop
  ) async throws(GatewaySimulatorError) -> GatewaySimulator {
    let simulator = try GatewaySimulator(
      configuration.withUser(),
      listener: listener,
      context: nil,
      port: 0,
      caPEM: "",
      pin: "",
      loop: loop,
      ownsLoop: false
    )
    await simulator.begin()
    return simulator
  }

  /// Ends the simulator as a process ends: every connection breaks.
  ///
  /// - Throws: `GatewaySimulatorError` if the ledger is not complete.
  public nonisolated func stop() async throws(GatewaySimulatorError) {
    await end()
    if ownsLoop { loop.stop() }
    try await ledger?.end()
  }

  /// Lets something go wrong now.
  ///
  /// - Parameter fault: What goes wrong.
  public func inject(_ fault: Fault) {
    model.inject(fault, at: loop.timestamp())
    advance()
  }

  // The loop is the tasks' preferred executor too: nothing of the simulator ever runs elsewhere,
  // which virtual time depends on.
  private func begin() {
    acceptor = Task(executorPreference: loop) { await self.acceptConnections() }
    if ledger != nil {
      ledgerWriter = Task(executorPreference: loop) { await self.writeLedger() }
    }
    advance()
  }

  private func end() async {
    guard !isStopping else { return }
    isStopping = true
    listener.close()
    await acceptor?.value
    let open = connections.values
    for connection in open { connection.cancel() }
    for socket in outboxes.keys { outboxes[socket]?.close() }
    for connection in open { await connection.value }
    if let timer { loop.cancel(timer.token) }
    timer = nil
    ledgerLatch.open()
    await ledgerWriter?.value
  }

  /// Lets the model do what is due, hands out what it says, and sets the timer for the rest.
  func advance() {
    model.advance(to: loop.timestamp())
    for (socket, output) in model.takeOutput() { outboxes[socket]?.put(output) }
    if model.refusesConnections { for connection in connections.values { connection.cancel() } }
    guard !isStopping, let next = model.nextTime else { return }
    // A ledger that cannot keep up slows the market down instead of filling the memory.
    let time = ledgerBuffer.count > 8 << 20 ? loop.now + 50_000_000 : next
    if let timer {
      if timer.time == time { return }
      loop.cancel(timer.token)
    }
    let token = loop.schedule(at: time) { [weak self] in
      // Timers fire on the loop's thread, which is this actor's.
      self?.assumeIsolated { simulator in
        simulator.timer = nil
        simulator.advance()
      }
    }
    timer = (token, time)
  }

  private static func makeLoop() throws(GatewaySimulatorError) -> EventLoop {
    do throws(TransportError) {
      return try EventLoop(name: "simulator")
    } catch {
      throw GatewaySimulatorError(.thread, "no thread for the simulator: \(error)")
    }
  }

  private static func certify(
    _ configuration: GatewaySimulatorConfiguration,
    at now: Timestamp
  ) throws(GatewaySimulatorError) -> (authority: String, identity: TLSIdentity) {
    do throws(CryptoError) {
      let seconds = now.realtime / 1_000_000_000
      let authority = try CertificateAuthority(name: "ibkr-stream simulator", now: seconds)
      var request = CertificateRequest(now: seconds)
      configuration.certificate?(&request)
      return (authority.certificatePEM, try authority.issue(request))
    } catch {
      throw GatewaySimulatorError(.certificate, "no certificate for the simulator: \(error)")
    }
  }

  private static func listen(
    _ configuration: GatewaySimulatorConfiguration,
    _ identity: TLSIdentity,
    on loop: EventLoop
  ) throws(GatewaySimulatorError) -> (Listener, TLSContext) {
    let credentials = TLSCredentials(
      chainPEM: identity.certificateChainPEM,
      keyPEM: identity.privateKeyPEM
    )
    let context: TLSContext
    do throws(TLSError) {
      context = try TLSContext(server: credentials)
    } catch {
      throw GatewaySimulatorError(.certificate, "no TLS for the simulator: \(error)")
    }
    do throws(TransportError) {
      return (try Listener(loopback: configuration.port, loop: loop), context)
    } catch {
      throw GatewaySimulatorError(
        .listen,
        "the simulator cannot listen on port \(configuration.port): \(error); choose another "
          + "with --port, or 0 for any"
      )
    }
  }
}
