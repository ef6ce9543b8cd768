// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import IBKR

/// Holds what a simulator has sent against what a client has received, message by message.
///
/// On every connection the messages received must be the first ones sent, in their order and with
/// their bytes; what was sent behind them never arrived, and has to lie in a declared gap of the
/// subscription that it is for. So nothing is lost, doubled or out of order without being told.
///
/// What has been held against each other is forgotten: a check over many hours stays small.
struct LedgerCheck: Sendable {
  /// What came of it.
  struct Findings: Sendable {
    /// Messages and pings that the simulator sent.
    var sent = 0
    /// Those that the client has.
    var delivered = 0
    /// Those that never came and lie in a declared gap.
    var inGaps = 0
    /// Those for a connection that the client had given up and replaced, which the server did not
    /// know yet.
    var forReplaced = 0
    /// What is not as it has to be; the first ones only.
    var problems: [String] = []
  }

  private struct Received: Sendable {
    let seq: UInt64
    let kind: SentFrame.Kind
    let bytes: [UInt8]
  }

  private struct Socket: Sendable {
    let number: Int
    let openedAt: Int64
    var sent: ArraySlice<SentFrame> = []
  }

  private struct Connection: Sendable {
    let openedAt: Int64
    var received: ArraySlice<Received> = []
    var isBroken = false
  }

  private var sockets: [Socket] = []
  private var connections: [Connection] = []
  private var gaps = GapCover()
  private var lastSeq: UInt64 = 0
  private var findings = Findings()

  /// How many problems are kept: the first ones say it all.
  private static let mostProblems = 10

  /// Makes a check of a run that has not begun.
  init() {}

  /// Notes what was sent, in order.
  mutating func add(_ frames: [SentFrame]) {
    for frame in frames {
      if frame.kind == .opened {
        sockets.append(Socket(number: frame.socket, openedAt: frame.monotonic))
      } else if frame.kind != .close {
        findings.sent += 1
        guard let index = sockets.lastIndex(where: { $0.number == frame.socket }) else {
          complain("the simulator sent something on socket \(frame.socket), which nobody opened")
          continue
        }
        sockets[index].sent.append(frame)
      }
    }
  }

  /// Notes what a subscriber to everything, which loses nothing, was given.
  mutating func add(_ event: Event) {
    guard let stamp = event.stamp else {
      return complain("a subscriber that is never slow was told of a loss")
    }
    if stamp.seq != lastSeq + 1 { complain("event \(stamp.seq) follows event \(lastSeq)") }
    lastSeq = stamp.seq
    gaps.add(event)
    switch event {
    case .connection(.open, let stamp):
      connections.append(Connection(openedAt: stamp.monotonic))
    case .message(let message) where message.direction == .inbound:
      guard let kind = message.kind.sentKind else { return }
      let received = Received(seq: message.seq, kind: kind, bytes: message.bytes)
      guard !connections.isEmpty else { return complain("a message without a connection") }
      connections[connections.count - 1].received.append(received)
    default: break
    }
  }

  /// Holds against each other what is there so far; both sides must have come to rest.
  mutating func settle() {
    for index in connections.indices where !connections[index].isBroken {
      // A client has one socket at a time, and asks for it before it is open.
      guard
        let socket = sockets.lastIndex(where: { $0.openedAt <= connections[index].openedAt })
      else {
        if !connections[index].received.isEmpty { complain("messages came before any socket") }
        continue
      }
      while let received = connections[index].received.popFirst() {
        guard let sent = sockets[socket].sent.popFirst() else {
          connections[index].isBroken = true
          complain("event \(received.seq) was never sent: \(excerpt(received.bytes))")
          break
        }
        if sent.bytes == received.bytes, sent.kind == received.kind {
          findings.delivered += 1
          continue
        }
        connections[index].isBroken = true
        complain(
          "event \(received.seq) is \(excerpt(received.bytes)), and \(excerpt(sent.bytes)) was sent"
        )
        break
      }
      // A slice keeps what was taken off its front; the measure of memory is not to show that.
      connections[index].received = ArraySlice(Array(connections[index].received))
      sockets[socket].sent = ArraySlice(Array(sockets[socket].sent))
    }
  }

  /// Holds everything against each other.
  ///
  /// - Parameter tolerance: By how many nanoseconds the clocks of both sides may be read apart.
  /// - Returns: What came of it.
  mutating func conclude(tolerance: Int64 = 0) -> Findings {
    settle()
    for index in sockets.indices {
      while let frame = sockets[index].sent.popFirst() {
        if gaps.covers(frame, tolerance: tolerance) {
          findings.inGaps += 1
        } else if sockets[(index + 1)...].contains(where: { $0.openedAt <= frame.monotonic }) {
          findings.forReplaced += 1
        } else {
          complain(
            "sent on socket \(frame.socket) at \(frame.monotonic / 1_000_000) ms, never received, "
              + "and in no gap: \(excerpt(frame.bytes))"
          )
        }
      }
    }
    return findings
  }

  /// Forgets what was concluded; the last connection goes on, and gaps that are open.
  mutating func forget() {
    sockets = sockets.suffix(1)
    connections = connections.suffix(1)
    gaps.forget()
  }

  private mutating func complain(_ problem: String) {
    if findings.problems.count < Self.mostProblems { findings.problems.append(problem) }
  }

  private func excerpt(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.prefix(90), as: UTF8.self)
  }
}

extension FrameKind {
  /// How the simulator's journal calls it; nil for what it does not have.
  fileprivate var sentKind: SentFrame.Kind? {
    switch self {
    case .text: .text
    case .binary: .binary
    case .ping: .ping
    default: nil
    }
  }
}
