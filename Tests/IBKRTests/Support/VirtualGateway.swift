// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import GatewaySimulator
import Transport

@testable import IBKR

/// A simulated gateway and a stream, on one loop with virtual time, without sockets.
struct VirtualGateway {
  let loop: EventLoop
  let network: MemoryNetwork
  let simulator: GatewaySimulator
  let stream: IbkrWsClient
  let diary: Diary
  let attached: AttachedSink
  let run: Task<IbkrError?, Never>

  /// - Parameters:
  ///   - feeds: What is subscribed to from the beginning.
  ///   - events: What goes wrong, and when.
  ///   - updatesPerSecond: How often each instrument changes.
  ///   - overflow: The policy of the diary.
  ///   - configure: Changes how patient the stream is.
  /// - Throws: If the loop or the simulator cannot be made.
  init(
    _ feeds: [MarketDataFeed] = [],
    events: [Scenario.Event] = [],
    updatesPerSecond: Double? = nil,
    overflow: OverflowPolicy = .backpressure,
    configure: (inout StreamConfiguration) -> Void = { _ in }
  ) async throws {
    let start = Timestamp(
      realtime: 1_777_552_110_000_000_000,
      monotonic: 1_000_000_000,
      boot: 1_000_000_000
    )
    loop = try EventLoop(virtual: start, advance: .onDemand)
    network = MemoryNetwork()
    var simulated = GatewaySimulatorConfiguration()
    simulated.scenario = Scenario(name: "test", events: events)
    simulated.updatesPerSecond = updatesPerSecond
    simulator = try await GatewaySimulator.start(
      simulated,
      listener: network.listen(host: "gateway", port: 5000, on: loop),
      loop: loop
    )
    var address = IbkrConfiguration()
    address.restURL = "http://gateway:5000/v1/api"
    var configuration = StreamConfiguration()
    configuration.seed = 7
    configure(&configuration)
    let stream = IbkrWsClient(
      ibkrClient: try IbkrClient(configuration: address, loop: loop, connector: network),
      configuration: configuration
    )
    self.stream = stream
    diary = Diary(on: loop, overflow: overflow)
    attached = stream.attach(diary)
    for feed in feeds { try await stream.want(feed) }
    run = Task(executorPreference: loop) {
      do throws(IbkrError) {
        try await stream.run()
        return nil
      } catch {
        return error
      }
    }
  }

  /// Lets time pass.
  func pass(_ seconds: Int) async {
    await loop.advance(by: .seconds(seconds))
  }

  /// Stops the stream in good order, then the simulator.
  func end() async throws -> IbkrError? {
    let stopping = Task(executorPreference: loop) { await stream.stop() }
    await pass(10)
    await stopping.value
    let error = await run.value
    try await simulator.stop()
    loop.stop()
    return error
  }
}

/// A sink that notes everything, in words.
actor Diary: EventSink {
  private nonisolated let loop: EventLoop
  nonisolated let overflow: OverflowPolicy
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private(set) var numbers: [UInt64] = []
  private(set) var dropped = 0
  private(set) var commands: [String] = []
  private(set) var lifecycle: [String] = []
  private(set) var gaps: [Gap] = []
  private(set) var backfills: [BackfillProgress] = []
  private(set) var quotes: [Int: Int] = [:]
  private(set) var snapshots: [Int: Int] = [:]
  private(set) var calls: [String] = []
  private(set) var kinds: Set<FrameKind> = []
  private var isStalled = false
  private var waiting: CheckedContinuation<Void, Never>?

  init(on loop: EventLoop, overflow: OverflowPolicy) {
    self.loop = loop
    self.overflow = overflow
  }

  func write(_ batch: EventBatch) async {
    if isStalled { await withCheckedContinuation { waiting = $0 } }
    for event in batch { note(event) }
  }

  func flush() { calls.append("flush") }

  func close() { calls.append("close") }

  /// Takes nothing any longer.
  func stall() { isStalled = true }

  /// Takes everything again.
  func resume() {
    isStalled = false
    waiting?.resume()
    waiting = nil
  }

  private func note(_ event: Event) {
    if let seq = event.seq { numbers.append(seq) }
    switch event {
    case .message(let message): note(message)
    case .gap(let gap):
      gaps.append(gap)
      lifecycle.append("gap \(gap.phase) \(gap.reason.rawValue)")
    case .dropped(let count, _): dropped += count
    case .backfill(let progress, _): backfills.append(progress)
    case .subscription(let key, let state, _): lifecycle.append("\(key.target) \(state)")
    case .session(let state, _):
      lifecycle.append("session \(state.phase?.rawValue ?? "unknown")")
    case .connection(let state, _):
      switch state {
      case .lost(let reason, _, _): lifecycle.append("lost \(reason.rawValue)")
      case .readingResumed: lifecycle.append("readingResumed")
      default: lifecycle.append("\(state)")
      }
    }
  }

  private func note(_ message: Message) {
    kinds.insert(message.kind)
    if message.direction == .outbound, message.kind == .text { commands.append(message.text) }
    if message.direction == .inbound, message.topic == .marketData, let conid = message.conid {
      quotes[conid, default: 0] += 1
      if message.isSnapshot { snapshots[conid, default: 0] += 1 }
    }
  }

  /// Whether every number from 1 on came, each once and in order.
  var isComplete: Bool { numbers == Array(1...UInt64(max(1, numbers.count))) }
}
