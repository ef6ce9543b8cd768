// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import HTTPServer
import JSON
public import Recording
public import Transport

/// Answers how a stream is getting on: `/metrics` for Prometheus, `/healthz` for whoever restarts or
/// wakes somebody, `/status` as JSON.
///
/// `/healthz` is 200 while all is well and 503 when data is missing, not only when the process is
/// dead. Nothing that it tells is secret, account numbers are not in it, and it takes no orders; who
/// may reach it is a matter of the address that it listens on.
public final class StatusServer: Sendable {
  /// What a server needs to know.
  public struct Configuration: Sendable {
    /// The program's version.
    public var version: String
    /// The stream.
    public var monitor: StreamMonitor
    /// The recorder, asked at each request; nil if nothing is recorded.
    public var recorder: (@Sendable () -> RecordingFigures)?

    /// Creates a configuration.
    public init(
      version: String,
      monitor: StreamMonitor,
      recorder: (@Sendable () -> RecordingFigures)? = nil
    ) {
      self.version = version
      self.monitor = monitor
      self.recorder = recorder
    }

    /// Everything as of now.
    var report: StatusReport {
      let (vitals, now, figures) = (monitor.vitals, monitor.now, recorder?())
      return StatusReport(
        version: version,
        vitals: vitals,
        symbols: monitor.symbols,
        recorder: figures,
        verdict: HealthVerdict(vitals, recorder: figures, at: now),
        now: now
      )
    }
  }

  private let server: HTTPServer
  private let loop: EventLoop

  /// Where it listens: `127.0.0.1:9464`.
  public let address: String

  /// Starts to listen; requests are answered once ``run()`` is called.
  ///
  /// - Parameters:
  ///   - address: `HOST:PORT` or `:PORT`, the host as a number; without one it is this machine's
  ///     loopback. Port 0 takes any that is free.
  ///   - configuration: What to tell.
  /// - Throws: `TransportError` if the address cannot be had.
  public convenience init(
    on address: ListeningAddress,
    _ configuration: Configuration
  ) throws(TransportError) {
    let loop = try EventLoop(name: "status")
    do throws(TransportError) {
      let listener = try Listener(on: address.socketAddress, loop: loop)
      let place = listener.addresses.first?.description ?? ""
      self.init(listener, at: place, loop: loop, configuration)
    } catch {
      loop.stop()
      throw error
    }
  }

  /// Serves connections from anywhere, such as memory.
  init(
    _ listener: any StreamListener,
    at address: String,
    loop: EventLoop,
    _ configuration: Configuration
  ) {
    self.address = address
    self.loop = loop
    server = HTTPServer(listener, loop: loop) { Self.answer($0, configuration) }
  }

  deinit { loop.stop() }

  /// Answers until the task is cancelled.
  public func run() async {
    await server.run()
  }

  private static func answer(
    _ request: HTTPRequest,
    _ configuration: Configuration
  ) -> HTTPAnswer {
    var answer = page(String(request.head.path), configuration)
    switch request.head.method.name {
    case "GET": break
    case "HEAD": answer.sendsHeadOnly = true
    default:
      answer = HTTPAnswer(status: 405, text: "only GET and HEAD are answered here\n")
      answer.allow = "GET, HEAD"
    }
    return answer
  }

  private static func page(_ path: String, _ configuration: Configuration) -> HTTPAnswer {
    switch path {
    case "/metrics":
      return HTTPAnswer(
        contentType: PrometheusText.contentType,
        body: Array(configuration.report.metrics.utf8)
      )
    case "/healthz":
      let verdict = configuration.report.verdict
      guard !verdict.isHealthy else { return HTTPAnswer(text: "ok\n") }
      let text = verdict.troubles.map { $0 + "\n" }.joined()
      return HTTPAnswer(status: 503, text: text)
    case "/status":
      var body: [UInt8] = []
      configuration.report.json.write(to: &body)
      return HTTPAnswer(contentType: "application/json", body: body + [UInt8(ascii: "\n")])
    case "/":
      return HTTPAnswer(text: "ibkr-stream: /metrics /healthz /status\n")
    default:
      return HTTPAnswer(status: 404, text: "there is /metrics, /healthz and /status\n")
    }
  }
}
