// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import IBKR
import JSON

/// A line of `ch=raw`, taken apart.
struct RawLine {
  /// What the line keeps.
  enum Content {
    /// A message or control frame, or an answer by REST.
    case message(Direction, FrameKind, [UInt8])
    /// An answer by REST with the bars of a gap.
    case bars(Backfill, [UInt8])
    /// An event of our own: the column `op`, and the event as JSON.
    case own(String, [UInt8])
  }

  /// Its number and time.
  let stamp: Stamp
  /// What it keeps.
  let content: Content
  /// Whether secrets are replaced in it.
  let isRedacted: Bool

  /// Reads a line; nothing comes of one that is not of this run, or lacks something.
  ///
  /// - Parameters:
  ///   - line: The line.
  ///   - run: The run that it should be of.
  init?(_ line: UnsafeRawBufferPointer, of run: RunID) {
    guard let head = LineHead(line, of: run) else { return nil }
    var scanner = JSONScanner(line)
    var (monotonic, direction, kind, bytes) = (Int64?.none, "", "", [UInt8]?.none)
    var topic: Backfill?
    var isRedacted = false
    while let member = scanner.nextMember() {
      let content = scanner.bytes(member.content)
      switch member.key {
      case Self.mono: monotonic = scanner.integer(member)
      case Self.dir: direction = String(decoding: content, as: UTF8.self)
      case Self.op: kind = String(decoding: content, as: UTF8.self)
      case Self.topic where kind == Self.bars:
        topic = Backfill(topic: String(decoding: content, as: UTF8.self))
      case Self.msg where member.kind == .string:
        bytes = member.hasEscapes ? JSONString.text(content).map { Array($0.utf8) } : Array(content)
      case Self.b64 where member.kind == .string:
        bytes = try? Base64.decode(String(decoding: content, as: UTF8.self))
      case Self.redacted: isRedacted = member.kind == .true
      default: break
      }
    }
    guard let monotonic, let bytes else { return nil }
    self.isRedacted = isRedacted
    stamp = Stamp(seq: head.seq, realtime: head.realtime, monotonic: monotonic)
    switch direction {
    case "self":
      // What we have asked for by REST is a message, though it did not cross the socket.
      if kind == Self.bars {
        guard let topic else { return nil }
        content = .bars(topic, bytes)
        return
      }
      content = Self.answers[kind].map { .message(.inbound, $0, bytes) } ?? .own(kind, bytes)
    case "in", "out":
      guard let frame = Self.kinds[kind] else { return nil }
      content = .message(direction == "in" ? .inbound : .outbound, frame, bytes)
    default: return nil
    }
  }

  private static let mono = JSONKey("mono")
  private static let dir = JSONKey("dir")
  private static let op = JSONKey("op")
  private static let topic = JSONKey("topic")
  private static let bars = "bars"
  private static let msg = JSONKey("msg")
  private static let b64 = JSONKey("b64")
  private static let redacted = JSONKey("redacted")
  private static let kinds: [String: FrameKind] = [
    "text": .text, "binary": .binary, "close": .close, "ping": .ping, "pong": .pong,
  ]
  private static let answers: [String: FrameKind] = ["poll": .poll, "resync": .resync]
}
