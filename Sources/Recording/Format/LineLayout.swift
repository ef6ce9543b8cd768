// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// How points in time are written into lines.
public enum TimeFormat: String, Sendable, Hashable, CaseIterable {
  /// Nanoseconds since 1970, an integer: exact in every reader of tables.
  case nanoseconds = "ns"
  /// `2026-11-23T14:30:00.123456789Z`: for people, and for readers that round large integers.
  case iso
}

/// By what the lines of a channel are put into different folders.
public enum Partition: String, Sendable, Hashable, CaseIterable {
  /// By the day, and quotes by their instrument as well.
  case dateAndSymbol = "date,symbol"
  /// By the day alone: fewer files where there are many instruments.
  case date
}

/// What of a run's files is a matter of taste.
package struct LineLayout: Sendable, Hashable {
  /// By what lines are put into folders.
  package var partition = Partition.dateAndSymbol
  /// How points in time are written.
  package var time = TimeFormat.nanoseconds

  /// The layout that a run has when nobody says otherwise.
  package init(partition: Partition = .dateAndSymbol, time: TimeFormat = .nanoseconds) {
    self.partition = partition
    self.time = time
  }
}

/// The columns that every line of a run begins with.
///
/// It belongs to one encoder.
struct LineStart {
  /// `{"v":1,"run":"…","seq":`, the same in every line of a run.
  private let head: [UInt8]

  /// How points in time are written.
  let time: TimeFormat

  private let received = TimeText(",\"ts_recv\":")
  private let published = TimeText(",\"ts_event\":")
  private let monotonic = TimeText(",\"mono\":")

  init(run: RunID, time: TimeFormat) {
    head = Array("{\"v\":1,\"run\":\"\(run)\",\"seq\":".utf8)
    self.time = time
  }

  /// Appends `v`, `run`, `seq`, `ts_recv` and `ts_event`.
  ///
  /// - Parameters:
  ///   - seq: The number of what the line follows from.
  ///   - realtime: When it happened.
  ///   - event: The server's time of it.
  ///   - lines: Where to put the columns.
  func append(
    seq: UInt64,
    realtime: Int64,
    event: Int64?,
    to lines: inout LineBuffer
  ) {
    lines.append(atMost: capacity) { room in
      var line = LineCursor(room)
      put(seq: seq, realtime: realtime, event: event, to: &line)
      return line.count
    }
  }

  /// The room that the columns need, with `mono`, and some behind them: the numbers take 20 bytes each,
  /// the times at most 35, and their names 12.
  var capacity: Int { head.count + 192 }

  /// Stores `v`, `run`, `seq`, `ts_recv` and `ts_event`, as ``append(seq:realtime:event:to:)`` does.
  func put(seq: UInt64, realtime: Int64, event: Int64?, to line: inout LineCursor) {
    head.withUnsafeBytes { line.put($0) }
    line.put(seq)
    switch (time, event) {
    case (.nanoseconds, let event?):
      received.put(realtime, to: &line)
      published.put(event, to: &line)
    case (.nanoseconds, nil):
      received.put(realtime, to: &line)
      line.put(",\"ts_event\":null")
    case (.iso, _):
      line.put(",\"ts_recv\":")
      line.put(iso: realtime)
      line.put(",\"ts_event\":")
      if let event { line.put(iso: event) } else { line.put("null") }
    }
  }

  /// Stores `mono`.
  func put(monotonic time: Int64, to line: inout LineCursor) {
    monotonic.put(time, to: &line)
  }
}

extension LineBuffer {
  /// Appends a point in time.
  ///
  /// - Parameters:
  ///   - realtime: Nanoseconds since 1970.
  ///   - format: How to write it.
  mutating func append(time realtime: Int64, _ format: TimeFormat) {
    switch format {
    case .nanoseconds: append(realtime)
    case .iso:
      append(atMost: 35) { room in
        var line = LineCursor(room)
        line.put(iso: realtime)
        return line.count
      }
    }
  }

  /// Appends `null` or a point in time.
  mutating func append(timeOrNull realtime: Int64?, _ format: TimeFormat) {
    if let realtime { append(time: realtime, format) } else { append("null") }
  }
}
