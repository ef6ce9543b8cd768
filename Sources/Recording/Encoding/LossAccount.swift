// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// Events that a sink's own queue has dropped, until a gap tells of them.
///
/// Under `backpressure` the client notices, and its gap of reason `overflow` is given the count. Under
/// every other policy the loss is the sink's alone: the sink declares it itself, as a gap under the
/// number of the last event that was lost. Nobody else has that number here, and numbers stay without
/// a hole that nothing explains.
struct LossAccount {
  /// What is to be told.
  struct Loss {
    /// How many events.
    var count: Int
    /// The numbers of the first and the last of them.
    var range: ClosedRange<UInt64>
  }

  /// Gaps of sinks have numbers from here on, so that they are none of the client's: this and the
  /// number of the event.
  static let firstGapID = 1_000_000_000

  /// How the gap was noticed, in words.
  static let words = "the recorder took events more slowly than they came, and its queue drops then"

  private var isClients = false
  private var clients = 0
  private var own: Loss?

  /// Whether there is a loss that this sink has to declare.
  var isPending: Bool { own != nil }

  /// Notes a loss.
  mutating func lost(_ count: Int, _ range: ClosedRange<UInt64>) {
    if isClients {
      clients += count
    } else if let earlier = own {
      own = Loss(
        count: earlier.count + count,
        range: min(
          earlier.range.lowerBound,
          range.lowerBound
        )...max(earlier.range.upperBound, range.upperBound)
      )
    } else {
      own = Loss(count: count, range: range)
    }
  }

  /// Follows the client's gaps, and gives the count to the one that tells of it.
  ///
  /// - Parameter gap: A gap of the client's.
  /// - Returns: The gap as it is to be recorded.
  mutating func counted(_ gap: Gap) -> Gap {
    guard gap.reason == .overflow, gap.id < Self.firstGapID else { return gap }
    isClients = gap.phase == .began
    guard gap.phase != .began, clients > 0 else { return gap }
    var gap = gap
    gap.count = UInt64(clients)
    clients = 0
    return gap
  }

  /// The gap that declares what this sink has lost.
  ///
  /// - Parameters:
  ///   - last: The last event before the loss, nil if there was none.
  ///   - next: The first event after it; for the end of the run the last one.
  ///   - subscriptions: What is being recorded.
  /// - Returns: The gap with its number and time, nil if there is nothing to declare.
  mutating func declare(
    after last: Stamp?,
    before next: Stamp,
    _ subscriptions: [SubscriptionKey]
  ) -> Gap? {
    guard let loss = own.take() else { return nil }
    let start = last ?? next
    var gap = Gap(
      id: Self.firstGapID + Int(clamping: loss.range.upperBound),
      phase: .ended,
      start: Gap.Moment(realtime: start.realtime, monotonic: start.monotonic),
      end: Gap.Moment(realtime: next.realtime, monotonic: next.monotonic),
      reason: .overflow,
      detectedBy: Self.words,
      subscriptions: subscriptions,
      count: UInt64(loss.count),
      seqFirst: loss.range.lowerBound - min(1, loss.range.lowerBound),
      seqLast: loss.range.upperBound + 1
    )
    gap.stamp = Stamp(
      seq: loss.range.upperBound,
      realtime: next.realtime,
      monotonic: next.monotonic
    )
    return gap
  }
}

/// The numbers of events that a log declares as lost, by the gaps that say so.
struct DeclaredLosses {
  private var ranges: [Int: ClosedRange<UInt64>] = [:]

  /// Looks at a line of the log.
  ///
  /// - Parameters:
  ///   - line: The line.
  ///   - run: The run.
  mutating func note(_ line: UnsafeRawBufferPointer, of run: RunID) {
    var scanner = JSONScanner(line)
    while let member = scanner.nextMember() {
      let content = scanner.bytes(member.content)
      // Nearly every line is a message, and is done with here.
      if member.key == Self.dir, content.first != UInt8(ascii: "s") { return }
      guard member.key == Self.op else { continue }
      guard content.elementsEqual("gap".utf8), let raw = RawLine(line, of: run),
        case .own(_, let bytes) = raw.content, let value = try? JSONValue(parsing: bytes),
        case .gap(let gap) = OwnEvent("gap", value), gap.reason == .overflow
      else { return }
      // The end of a gap is told after its beginning, and says more.
      ranges[gap.id] = gap.seqFirst...max(gap.seqFirst, gap.seqLast ?? .max)
      return
    }
  }

  /// Adds what a later part declares.
  mutating func merge(_ later: DeclaredLosses) {
    ranges.merge(later.ranges) { $1 }
  }

  /// Whether all of some numbers are declared by one gap.
  func contain(_ numbers: ClosedRange<UInt64>) -> Bool {
    ranges.values.contains {
      $0.lowerBound <= numbers.lowerBound && $0.upperBound >= numbers.upperBound
    }
  }

  private static let dir = JSONKey("dir")
  private static let op = JSONKey("op")
}

extension Gap {
  /// Whether a sink tells of its own loss: there is no other event of the gap's beginning.
  var isOfSink: Bool { id >= LossAccount.firstGapID }
}
