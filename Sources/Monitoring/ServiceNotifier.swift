// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc
import IBKR
public import Recording
public import Transport

/// Tells systemd how a service is getting on (`sd_notify(3)`): that it is ready, how it stands in a
/// line, and, as long as data flows as it should, that it is alive.
///
/// The protocol is a datagram to the socket that the variable `NOTIFY_SOCKET` names. With
/// `WatchdogSec=` in the unit systemd restarts a service that says nothing for so long
/// (`WATCHDOG_USEC`), and this one says nothing when ``HealthVerdict/isStuck``: it is alive then, and
/// of no use.
public final class ServiceNotifier: Sendable {
  private let socket: FileDescriptor
  private let path: [UInt8]
  /// How long systemd waits for a sign of life; nil if it does not.
  private let watchdog: Duration?

  /// Finds out whether systemd wants to be told; nil if nobody listens.
  ///
  /// - Parameter environment: The process's variables.
  /// - Throws: `TransportError` if the system gives no socket.
  public init?(environment: [String: String]) throws(TransportError) {
    guard let name = environment["NOTIFY_SOCKET"], name.hasPrefix("/") || name.hasPrefix("@")
    else { return nil }
    var path = Array(name.utf8)
    // An abstract name begins with a zero byte on the wire (unix(7)).
    if path[0] == UInt8(ascii: "@") { path[0] = 0 }
    guard path.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path) else { return nil }
    self.path = path
    watchdog = Self.watchdog(of: environment)
    let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    socket = try FileDescriptor(Glibc.socket(AF_UNIX, kind, 0), from: "socket")
  }

  private static func watchdog(of environment: [String: String]) -> Duration? {
    let isMeant = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
    guard isMeant, let microseconds = environment["WATCHDOG_USEC"].flatMap(Int64.init),
      microseconds > 0
    else { return nil }
    return .microseconds(microseconds)
  }

  /// Says things in systemd's words, one `NAME=value` each.
  ///
  /// - Parameter words: `READY=1` and the like; a value has no line break.
  /// - Returns: Whether somebody took it. Nobody need: a service goes on without its manager.
  @discardableResult
  public func tell(_ words: String...) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let length = MemoryLayout.offset(of: \sockaddr_un.sun_path).map { $0 + path.count } ?? 0
    let text = Array(words.joined(separator: "\n").utf8)
    let sent = withUnsafePointer(to: address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        sendto(
          socket.raw,
          text,
          text.count,
          Int32(MSG_NOSIGNAL),
          address,
          socklen_t(length)
        )
      }
    }
    return sent == text.count
  }

  /// Says `READY=1`, then how things stand and that the service is alive, until the task is
  /// cancelled; then `STOPPING=1`.
  ///
  /// - Parameters:
  ///   - monitor: The stream.
  ///   - recorder: The recorder.
  ///   - loop: Whose time passes.
  public func run(
    watching monitor: StreamMonitor,
    recorder: @Sendable () -> RecordingFigures,
    on loop: EventLoop
  ) async {
    // Three signs in the time in which one must come; and every 10 s the line about the state.
    let interval = min(.seconds(10), (watchdog ?? .seconds(30)) / 3)
    tell("READY=1")
    while !Task.isCancelled {
      let (vitals, figures) = (monitor.vitals, recorder())
      let verdict = HealthVerdict(
        vitals,
        recorder: figures,
        at: monitor.now,
        stuckAfter: watchdog ?? HealthVerdict.stuckAfter
      )
      let status = "STATUS=" + Self.line(vitals, figures, verdict)
      if verdict.isStuck { tell(status) } else { tell(status, "WATCHDOG=1") }
      do { try await loop.sleep(for: interval) } catch { break }
    }
    tell("STOPPING=1")
  }

  /// How things stand, in a line.
  static func line(
    _ vitals: Vitals,
    _ figures: RecordingFigures,
    _ verdict: HealthVerdict
  ) -> String {
    if let trouble = verdict.troubles.first {
      return trouble.map { $0.isNewline ? " " : $0 }.reduce(into: "") { $0.append($1) }
    }
    let active = vitals.subscriptions.values.count { $0.value == .active || $0.value == .renewing }
    return "\(active) of \(vitals.subscriptions.count) subscriptions stream; "
      + "\(vitals.marketDataMessages) quotes, \(figures.total.lines) lines"
  }
}
