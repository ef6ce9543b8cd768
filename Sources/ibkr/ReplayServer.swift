// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import GatewaySimulator
import IBKR
import Logging
import Recording
import Transport

/// Plays the market data of a recording to whoever connects, as a gateway does.
struct ReplayServer {
  let replay: Replay
  let instruments: [Instrument]
  let port: UInt16
  let caPath: String?
  let logger: Logger

  /// Serves until the command is to end.
  ///
  /// The recording begins when the first client has subscribed, and goes on for everybody: who comes
  /// later gets the values as of then first.
  ///
  /// - Parameter stop: What ends it.
  /// - Throws: What keeps the server from starting, or the recording from being read.
  func run(until stop: Stop) async throws {
    var configuration = GatewaySimulatorConfiguration()
    configuration.port = port
    configuration.recorded = instruments.map {
      RecordedInstrument(conid: $0.conid, symbol: $0.symbol, exchange: $0.exchange)
    }
    let simulator = try await GatewaySimulator.start(configuration)
    do {
      if let caPath {
        try TextFile.write(simulator.caPEM, to: caPath, as: "the certificate authority")
      }
      Output.write("listening \(simulator.url)\n", to: 1)
      // Before the replay runs, so that it has whom to wait for.
      let events = replay.events(matching: .marketData())
      let playing = Task { try await play(events, to: simulator) }
      let failing = Task {
        do {
          try await playing.value
        } catch {
          stop.finish()
          throw error
        }
      }
      _ = await stop.reason()
      await replay.stop()
      playing.cancel()
      try await simulator.stop()
      try await failing.value
    } catch {
      try? await simulator.stop()
      throw error
    }
  }

  private func play(_ events: EventStream, to simulator: GatewaySimulator) async throws {
    await simulator.waitForSubscription()
    // Whoever subscribes to many does it within this time.
    try? await Task.sleep(for: .milliseconds(500))
    logger.notice("playing")
    async let run: Void = replay.run()
    for try await batch in events.batches {
      var texts: [String] = []
      batch.forEachRecord { record, message, _ in
        guard record.sort == .message, record.direction == .inbound else { return }
        texts.append(message.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
      }
      await simulator.play(texts)
    }
    try await run
    let count = await replay.eventCount
    logger.notice("played \(count) events; press Ctrl-C to end")
  }
}
