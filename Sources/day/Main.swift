// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Flow
import GatewaySimulator
import Glibc
import IBKR
import Logging
import Recording
import Transport

/// A long recording in a short time: simulator, client and recorder on one loop with virtual time,
/// the files real.
@main struct Day: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "day",
    abstract: "Record hours of market data on virtual time, and say what it costs.",
    discussion: """
      Prints a JSON line for each simulated hour: messages so far, resident memory, open files, \
      and the seconds that the hour has taken. The log is synced when a part is sealed, and not \
      each second: seconds are short here.
      """
  )

  @Option(help: "How many hours.")
  var hours = 24

  @Option(help: "How many instruments.")
  var instruments = 100

  @Option(help: "Decides every price and the times of their changes.")
  var seed: UInt64 = 1

  @Option(name: [.customShort("o"), .customLong("output")], help: "The directory to record into.")
  var directory: String

  func run() async throws {
    // A Monday, from midnight on.
    let midnight: Int64 = 1_795_392_000_000_000_000
    let start = Timestamp(realtime: midnight, monotonic: 1_000_000_000, boot: 1_000_000_000)
    let loop = try EventLoop(virtual: start, advance: .onDemand)
    defer { loop.stop() }
    let network = MemoryNetwork()
    var simulated = GatewaySimulatorConfiguration()
    simulated.seed = seed
    simulated.numberedInstruments = instruments
    // The memory that is measured is to be the recorder's: the simulator keeps as much in the first
    // hour as in the last.
    simulated.tradedMinutes = 60
    let simulator = try await GatewaySimulator.start(
      simulated,
      listener: network.listen(host: "server", port: 5000, on: loop),
      loop: loop
    )
    var configuration = IbkrConfiguration()
    configuration.restURL = "http://server:5000/v1/api"
    let client = try IbkrClient(
      configuration: configuration,
      loop: loop,
      connector: network,
      logger: Logger(label: "ibkr") { _ in SwiftLogNoOpLogHandler() }
    )
    var patience = StreamConfiguration()
    patience.seed = seed
    patience.keepsBook = false
    let stream = IbkrWsClient(ibkrClient: client, configuration: patience, logger: client.logger)
    let sink = try recorder(on: loop)
    let first = GatewaySimulatorConfiguration.firstNumberedInstrument
    let found = (0..<instruments).map { Instrument(conid: first + $0, symbol: "SIM\($0)") }
    try await sink.learn(found)
    let attached = stream.attach(sink)
    let counter = Counter(on: loop)
    stream.attach(counter)
    for instrument in found { try await stream.want(.marketData(conid: instrument.conid)) }
    let running = Task(executorPreference: loop) { try await stream.run() }
    for hour in 1...hours {
      let began = EventLoop.realtime
      await loop.advance(by: .seconds(3_600))
      try await report(hour, messages: counter.messages, since: began)
    }
    let ending = Task(executorPreference: loop) {
      await stream.stop()
      await client.close()
    }
    await loop.advance(by: .seconds(30))
    await ending.value
    try await running.value
    try await attached.finished()
    try await simulator.stop()
  }

  private func recorder(on loop: EventLoop) throws -> NDJSONFileSink {
    var configuration = NDJSONFileSink.Configuration(directory: directory)
    configuration.synchronization = .never
    let directory = directory
    return NDJSONFileSink(configuration, disk: loop) { () throws(StorageError) in
      try POSIXStorage(directory: directory)
    }
  }

  private func report(_ hour: Int, messages: Int, since began: Int64) throws {
    let seconds = Double(EventLoop.realtime - began) / 1e9
    print(
      "{\"hour\":\(hour),\"messages\":\(messages),\"resident_kb\":\(try Self.residentKilobytes()),"
        + "\"open_files\":\(Self.openFiles()),\"seconds\":\(seconds)}"
    )
    fflush(nil)
  }

  /// How much of the process is in memory now.
  private static func residentKilobytes() throws -> Int {
    let status = try TextOfProcess.read("/proc/self/status")
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
  }

  private static func openFiles() -> Int {
    guard let folder = opendir("/proc/self/fd") else { return 0 }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    // Itself, and the two names for where it is.
    return count - 3
  }
}

/// Counts market data as it passes.
private actor Counter: EventSink {
  private nonisolated let loop: EventLoop
  nonisolated var overflow: OverflowPolicy { .backpressure }
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private(set) var messages = 0

  init(on loop: EventLoop) {
    self.loop = loop
  }

  func write(_ batch: EventBatch) {
    for event in batch {
      if case .message(let message) = event, message.topic == .marketData,
        message.direction == .inbound
      {
        messages += 1
      }
    }
  }
}

/// A small file of the kernel's.
private enum TextOfProcess {
  static func read(_ path: String) throws -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw ValidationError("cannot read \(path)") }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 8_192)
    let count = Glibc.read(file, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }
}
