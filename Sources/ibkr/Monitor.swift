// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import Logging

/// Watches a stream for the command: tells what a person should know, and counts.
final class Monitor: EventSink {
  /// What has been counted.
  struct Counts: Sendable, Hashable {
    /// Market-data messages.
    var messages = 0
    /// Outages: their beginnings.
    var gaps = 0
  }

  private let logger: Logger
  private let limit: Int
  private let reachLimit: @Sendable () -> Void
  private let counted = Locked(Counts())
  private let told = Locked(SessionLine?.none)

  /// Creates a monitor.
  ///
  /// - Parameters:
  ///   - logger: Told of the connection, the session, subscriptions and gaps.
  ///   - limit: A number of market-data messages; nil for no limit.
  ///   - reachLimit: Called when so many have come.
  init(logger: Logger, limit: Int?, reachLimit: @escaping @Sendable () -> Void) {
    self.logger = logger
    self.limit = limit ?? .max
    self.reachLimit = reachLimit
  }

  /// A monitor that is late forgets what is old: nobody reads it.
  var overflow: OverflowPolicy { .dropOldest(65_536) }

  /// What has been counted so far.
  var counts: Counts { counted.withLock { $0 } }

  func write(_ batch: EventBatch) async {
    var new = Counts()
    batch.forEachRecord { record, _, _ in
      if let event = batch.detail(of: record) { tell(event, &new) }
    }
    counted.withLock { $0.gaps += new.gaps }
  }

  /// Counts the messages of a batch; any thread may call it.
  func count(_ batch: EventBatch) {
    var messages = 0
    batch.forEachRecord { record, _, _ in
      if record.sort == .message, record.topic == .marketData, record.direction == .inbound {
        messages += 1
      }
    }
    guard messages > 0 else { return }
    let after = counted.withLock { counts in
      counts.messages += messages
      return counts.messages
    }
    if after - messages < limit, after >= limit { reachLimit() }
  }

  private func tell(_ event: OwnEvent, _ counts: inout Counts) {
    switch event {
    case .connection(let state): tell(state)
    case .session(let state): tell(state)
    case .subscription(let key, let state): tell(key, state)
    case .gap(let gap):
      if gap.phase == .began { counts.gaps += 1 }
      tell(gap)
    case .dropped(let count, _):
      logger.debug("not everything could be counted", metadata: ["missed": "\(count)"])
    case .backfill(let progress): tell(progress)
    }
  }

  private func tell(_ progress: BackfillProgress) {
    logger.info(
      "bars for a gap of \(progress.backfill.target): \(progress.state.rawValue)",
      metadata: progress.reason.isEmpty
        ? ["bars": "\(progress.bars)"]
        : ["bars": "\(progress.bars)", "why": "\(progress.reason)"]
    )
  }

  private func tell(_ state: ConnectionState) {
    switch state {
    case .connecting(let attempt):
      logger.debug("connecting", metadata: ["attempt": "\(attempt)"])
    case .open: logger.debug("connected")
    case .ready:
      logger.info("the server has greeted")
      ProcessMemory.forgetCode()
    case .readingPaused:
      logger.warning("what is written to is slower than the stream: reading has stopped")
    case .readingResumed: logger.info("reading goes on")
    case .lost(let reason, let description, let nanoseconds):
      logger.warning(
        "the connection is lost: \(description)",
        metadata: ["reason": "\(reason.rawValue)", "retry_ms": "\(nanoseconds / 1_000_000)"]
      )
    case .closed: logger.debug("closed")
    }
  }

  /// One line for each change that means something to a person, with what only a person can do.
  private func tell(_ state: SessionState) {
    guard let line = SessionLine(state), told.withLock({ $0.replace(with: line) }) else { return }
    logger.log(level: line.level, "\(line.text)")
  }

  private func tell(_ key: SubscriptionKey, _ state: SubscriptionState) {
    // An account may be the target; a conid never tells a secret.
    let name = key.conid == nil ? key.topic.rawValue : "\(key.topic.rawValue)+\(key.target)"
    switch state {
    case .failed(let words):
      logger.warning("the server refuses \(name): \(words)")
    case .stale:
      logger.warning("\(name) is silent for longer than it should be")
    case .requested(let attempt) where attempt > 1:
      logger.warning("\(name) has not answered, asked again", metadata: ["attempt": "\(attempt)"])
    case .active: logger.info("\(name) streams")
    case .pending, .requested, .renewing, .ended: logger.debug("\(name): \(state)")
    }
  }

  private func tell(_ gap: Gap) {
    let names = gap.conids.prefix(10).map(String.init).joined(separator: ",")
    switch gap.phase {
    case .began:
      logger.warning(
        "data is missing from here on: \(gap.detectedBy)",
        metadata: ["reason": "\(gap.reason.rawValue)", "conids": "\(names)"]
      )
    case .ended:
      let nanoseconds = (gap.end?.monotonic ?? gap.start.monotonic) - gap.start.monotonic
      logger.info(
        "data is complete again",
        metadata: ["gap_ms": "\(nanoseconds / 1_000_000)", "conids": "\(names)"]
      )
    case .abandoned:
      logger.warning("the end came before the data did", metadata: ["conids": "\(names)"])
    }
  }
}
