// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import Logging
import Monitoring
import Recording
import Transport

/// Tells others how a recording is getting on: whoever asks by HTTP, and systemd.
struct Watch {
  /// Watches the stream; to be attached to it.
  let monitor: StreamMonitor
  private let server: StatusServer?
  private let notifier: ServiceNotifier?
  private let sink: NDJSONFileSink
  private let loop: EventLoop

  /// Prepares to tell; nil if nobody wants to know.
  ///
  /// Nothing is answered before ``during(_:)``.
  ///
  /// - Parameters:
  ///   - sink: The recorder.
  ///   - address: Where to answer by HTTP; nil for nowhere.
  ///   - environment: The process's variables, which say whether systemd listens.
  ///   - logger: Told of the address.
  /// - Throws: `TransportError` if the address cannot be had.
  init?(
    _ sink: NDJSONFileSink,
    at address: ListeningAddress?,
    environment: [String: String],
    logger: Logger
  ) throws {
    notifier = try ServiceNotifier(environment: environment)
    guard address != nil || notifier != nil else { return nil }
    let loop = try EventLoop(name: "watch")
    let monitor = StreamMonitor(loop: loop)
    (self.sink, self.loop, self.monitor) = (sink, loop, monitor)
    server = try address.map { address in
      let configuration = StatusServer.Configuration(
        version: IBKRCommand.version,
        monitor: monitor
      ) { sink.figures }
      let server = try StatusServer(on: address, configuration)
      logger.info("answering http://\(server.address)/metrics, /healthz and /status")
      if !address.isLoopback {
        logger.warning("other machines can ask too, without a password: see --metrics")
      }
      return server
    }
  }

  /// Learns what the instruments are called.
  func learn(_ instruments: [Instrument]) {
    monitor.learn(instruments)
  }

  /// Tells for as long as something lasts.
  ///
  /// - Parameter body: The recording.
  /// - Returns: What the body returns.
  /// - Throws: What the body throws.
  func during<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
    defer { loop.stop() }
    return try await withThrowingTaskGroup(of: Void.self) { group in
      if let server { group.addTask { await server.run() } }
      if let notifier {
        group.addTask { [monitor, sink, loop] in
          await notifier.run(watching: monitor, recorder: { sink.figures }, on: loop)
        }
      }
      let result: Result
      do {
        result = try await body()
      } catch {
        group.cancelAll()
        // They are to have ended before their loop does.
        while let _ = try await group.next() {}
        throw error
      }
      group.cancelAll()
      while let _ = try await group.next() {}
      return result
    }
  }
}
