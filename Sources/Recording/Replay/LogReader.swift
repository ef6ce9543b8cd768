// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// Reads the log of a recording back into the events that it was made of, run by run.
///
/// It reads a piece of a file at a time, so memory does not depend on how much there is.
final class LogReader {
  /// What is read.
  enum Piece {
    /// A run begins.
    case run(RecordedRun)
    /// Events from before the excerpt, by which subscriptions and quotes become known.
    case leadIn(EventBatch)
    /// Events.
    case events(EventBatch)
  }

  private let reader: RecordingReader
  private let excerpt: Excerpt
  private let filter: EventFilter?
  private let keyed: EventReplayer.Keys?

  /// Parts that have not been opened, the next one last.
  private var parts: [RecordedPart]
  private var cursor: PartCursor?
  private var run: RecordedRun?
  private var replayer = EventReplayer()
  /// What was made of a piece of a file, the next one last.
  private var waiting: [Piece] = []
  private var lastSeq: UInt64?
  private var isLeadIn = false
  private var isDone = false

  /// A batch has at most this many events.
  private static let batchSize = 256

  /// Prepares.
  ///
  /// - Parameters:
  ///   - reader: The recording.
  ///   - excerpt: What of it is wanted.
  ///   - run: The only run that is wanted; nil for all.
  ///   - keys: Gives each subscription the key that it is to have; nil for the recorded one.
  /// - Throws: `StorageError`.
  init(
    _ reader: RecordingReader,
    _ excerpt: Excerpt,
    only run: RunID? = nil,
    keys: EventReplayer.Keys? = nil
  ) throws(StorageError) {
    self.reader = reader
    self.excerpt = excerpt
    keyed = keys
    filter = excerpt.conids.isEmpty ? nil : .instruments(excerpt.conids)
    let sealed = try Manifest(of: reader.storage).entries
    parts = try reader.parts(of: [.raw], inDays: excerpt.days)
      .filter { part in
        guard run == nil || part.run == run else { return false }
        guard let time = sealed[part.path]?.time else { return true }
        return time.upperBound >= excerpt.readFrom && time.lowerBound <= excerpt.to ?? .max
      }
      .reversed()
  }

  /// Reads on.
  ///
  /// - Returns: What comes next, nil at the end.
  /// - Throws: `StorageError`, `.damaged` for what cannot be read.
  func next() throws(StorageError) -> Piece? {
    while true {
      if let piece = waiting.popLast() { return piece }
      guard !isDone else { return nil }
      try readOn()
      waiting.reverse()
    }
  }

  private func readOn() throws(StorageError) {
    guard let cursor = try openCursor() else {
      isDone = true
      return
    }
    let run = cursor.part.run
    let isMore = try cursor.readOn { line throws(StorageError) in
      guard !isDone else { return }
      guard let raw = RawLine(line.bytes, of: run) else {
        throw cursor.damage("line \(line.number) is no line of the log of its run")
      }
      try take(raw, line, cursor)
    }
    flush()
    if !isMore { self.cursor = nil }
  }

  private func openCursor() throws(StorageError) -> PartCursor? {
    while cursor == nil, let part = parts.popLast() {
      do throws(StorageError) {
        cursor = try PartCursor(part, of: reader.storage)
      } catch  where error.code == .missing {
        // Removed because of its age, since it was found.
      }
    }
    return cursor
  }

  private func take(
    _ raw: RawLine,
    _ line: Line,
    _ cursor: PartCursor
  ) throws(StorageError) {
    let value: JSONValue? =
      if case .own(_, let bytes) = raw.content { try? JSONValue(parsing: bytes) } else { nil }
    if cursor.part.run != run?.record.run { try begin(cursor.part.run, value) }
    if let lastSeq, raw.stamp.seq <= lastSeq {
      throw cursor.damage("line \(line.number) has the number \(raw.stamp.seq) after \(lastSeq)")
    }
    lastSeq = raw.stamp.seq
    guard raw.stamp.realtime >= excerpt.readFrom else { return }
    if isLeadIn, raw.stamp.realtime >= excerpt.from ?? .min {
      flush()
      isLeadIn = false
    }
    if !isLeadIn, raw.stamp.realtime >= excerpt.to ?? .max {
      // Runs follow each other in time, so nothing later belongs to the excerpt.
      isDone = true
      return
    }
    append(raw, value)
    if replayer.count >= Self.batchSize { flush() }
  }

  private func append(_ raw: RawLine, _ value: JSONValue?) {
    switch raw.content {
    case .message(let direction, let kind, let bytes):
      bytes.withUnsafeBytes {
        replayer.append(
          $0,
          direction: direction,
          kind: kind,
          stamp: raw.stamp,
          isRedacted: raw.isRedacted
        )
      }
    case .bars(let backfill, let bytes):
      bytes.withUnsafeBytes {
        replayer.append(answer: $0, to: backfill, stamp: raw.stamp, isRedacted: raw.isRedacted)
      }
    case .own(let name, _):
      guard let value else { return }
      if let down = DownTime(value) {
        replayer.append(.gap(down.gap), stamp: raw.stamp, isRedacted: raw.isRedacted)
      } else if let event = OwnEvent(name, value) {
        replayer.append(event, stamp: raw.stamp, isRedacted: raw.isRedacted)
      }
    }
  }

  private func flush() {
    guard let batch = replayer.take(from: run) else { return }
    if isLeadIn { return waiting.append(.leadIn(batch)) }
    guard let wanted = filter == nil ? batch : filter?.apply(to: batch) else { return }
    waiting.append(.events(wanted))
  }

  /// Begins a run with its first line.
  private func begin(_ run: RunID, _ first: JSONValue?) throws(StorageError) {
    flush()
    let record: RunRecord?
    do throws(StorageError) {
      record = try RunRecord.read(run, from: reader.storage)
    } catch  where error.code == .missing {
      record = nil
    }
    var lines: [UInt8] = []
    var instruments: [Instrument] = []
    do throws(StorageError) {
      _ = try PartReader(Instrument.path, storage: reader.storage).forEachLine { line in
        guard line.isComplete, let known = Instrument.line(line.bytes), known.run == run else {
          return
        }
        instruments.append(known.instrument)
        lines += Array(line.bytes) + [UInt8(ascii: "\n")]
      }
    } catch  where error.code == .missing {
      // Nothing was looked up.
    }
    let recorded = RecordedRun(
      record ?? RunRecord(run: run, start: run.milliseconds * 1_000_000, tool: ""),
      instruments: instruments,
      instrumentLines: lines,
      down: excerpt.from == nil ? first.flatMap(DownTime.init) : nil,
      leadIn: excerpt.from.map { .init(reader: reader, end: $0, keys: keyed) }
    )
    self.run = recorded
    replayer = EventReplayer(keys: keyed)
    lastSeq = nil
    isLeadIn = excerpt.from != nil
    waiting.append(.run(recorded))
  }
}

extension DownTime {
  /// The time as every subscriber is told of it.
  fileprivate var gap: Gap {
    var gap = Gap(
      id: 0,
      phase: .ended,
      start: Gap.Moment(realtime: last.realtime, monotonic: last.monotonic),
      end: end,
      reason: .processDown,
      detectedBy: "a run of the recorder began",
      subscriptions: last.conids.map { conid in
        SubscriptionKey(topic: .marketData, target: "\(conid)", conid: conid, number: 0)
      },
      seqFirst: last.seq
    )
    gap.seqLast = 1
    return gap
  }
}
