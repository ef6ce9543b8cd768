// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import IBKR
import JSON

/// A subscriber that keeps account of everything it gets.
actor Taker {
  /// How a subscriber is slow.
  struct Habit: Sendable {
    var stall = Duration.zero
    var afterEvents = 0
    var perEvent = Duration.zero
  }

  private let events: EventStream
  private let habit: Habit?
  private var delays: [Int64] = []
  private(set) var log = TakenLog()
  private(set) var hasFailed = false

  init(_ events: EventStream, habit: Habit? = nil) {
    self.events = events
    self.habit = habit
  }

  /// Takes events until there are no more.
  func take() async {
    do throws(IbkrError) {
      for try await event in events {
        log.add(event)
        guard case .message(let message) = event else { continue }
        delays.append(Self.now() - message.stamp.monotonic)
        if let habit { try? await pause(habit) }
      }
    } catch {
      hasFailed = true
    }
  }

  private func pause(_ habit: Habit) async throws {
    if log.delivered == habit.afterEvents { try await Task.sleep(for: habit.stall) }
    if log.delivered >= habit.afterEvents { try await Task.sleep(for: habit.perEvent) }
  }

  /// Counts, and how old the events were when they were taken.
  func report() -> JSONValue {
    let sorted = delays.sorted()
    func milliseconds(_ share: Double) -> JSONValue {
      guard !sorted.isEmpty else { return .null }
      let delay = sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
      return .number("\(Double(delay / 1_000) / 1_000)")
    }
    return .object([
      .init(key: "delivered", value: .number("\(log.delivered)")),
      .init(key: "dropped", value: .number("\(log.dropped)")),
      .init(key: "p50_ms", value: milliseconds(0.5)),
      .init(key: "p99_ms", value: milliseconds(0.99)),
      .init(key: "max_ms", value: milliseconds(1)),
    ])
  }

  private static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// What one subscriber was given and told, in order.
struct TakenLog: Sendable {
  private enum Entry: Sendable {
    case event(UInt64)
    case dropped(Int, ClosedRange<UInt64>)
  }

  private var entries: [Entry] = []
  private(set) var delivered = 0
  private(set) var dropped = 0

  mutating func add(_ event: Event) {
    if let seq = event.seq {
      entries.append(.event(seq))
      delivered += 1
    } else if case .dropped(let count, let range) = event {
      entries.append(.dropped(count, range))
      dropped += count
    }
  }

  /// Where this log does not fit one that has everything, in words; nil if it fits everywhere.
  ///
  /// Every event and every loss has to be just where the complete log has it.
  func firstError(against complete: TakenLog) -> String? {
    var rest = complete.entries[...]
    for entry in entries {
      switch entry {
      case .event(let seq):
        guard case .event(seq)? = rest.popFirst() else { return "event \(seq)" }
      case .dropped(let count, let range):
        let lost = rest.prefix(count)
        guard case .event(range.lowerBound)? = lost.first, lost.count == count,
          case .event(range.upperBound)? = lost.last
        else { return "loss of \(count) in \(range)" }
        rest = rest.dropFirst(count)
      }
    }
    return nil
  }
}
