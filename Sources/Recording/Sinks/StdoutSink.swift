// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc
public import IBKR
import Transport

/// Prints events as NDJSON, one line each, on a descriptor such as standard output.
///
/// The lines are those of the files. Writing happens on a thread of its own: whoever reads may be as
/// slow as he likes, the stream goes on, and by its policy the sink drops what nobody takes.
public actor StdoutSink: EventSink {
  /// What is printed and how much of it.
  public struct Configuration: Sendable {
    /// The channels to print; lines of several come in the order of the events.
    public var channels: Set<Channel> = [.quote, .gap]

    /// What becomes of the lines.
    public var form = LineForm.json

    /// How points in time are printed.
    public var timeFormat = TimeFormat.nanoseconds

    /// Whether account ids are printed as they are and not as `acct-1`, `acct-2`, ….
    public var keepsAccounts = false

    /// After how many lines to stop, a head not counted; nil for never.
    public var maximumLines: Int?

    /// What happens when nobody reads.
    public var overflow = OverflowPolicy(.dropOldest, maximumEvents: 65_536)

    /// Creates a configuration with the defaults.
    public init() {}
  }

  /// What happens when nobody reads.
  public nonisolated let overflow: OverflowPolicy

  private nonisolated let loop: EventLoop
  private var encoder: EventEncoder
  /// The run of a recording that the events come from, if they are not live.
  private var origin: RecordedRun?
  private let configuration: Configuration
  private let sheet = SingleSheet()
  private let descriptor: Int32
  private var linesLeft: Int
  private var hasHead = false

  /// How many events were dropped because nobody read.
  public private(set) var dropped = 0

  /// The thread that the sink works on.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// Creates a sink.
  ///
  /// - Parameters:
  ///   - configuration: What is printed and how much of it.
  ///   - descriptor: Where to; it is not closed.
  /// - Throws: `TransportError` if the system gives no thread.
  public init(
    _ configuration: Configuration = Configuration(),
    descriptor: Int32 = 1
  ) throws {
    loop = try EventLoop(name: "stdout")
    let run = try RunID(realtime: loop.timestamp().realtime)
    encoder = EventEncoder(
      run: run,
      channels: configuration.channels,
      keepsAccounts: configuration.keepsAccounts,
      layout: LineLayout(time: configuration.timeFormat)
    )
    self.configuration = configuration
    self.descriptor = descriptor
    linesLeft = configuration.maximumLines ?? .max
    overflow = configuration.overflow
  }

  deinit { loop.stop() }

  /// Learns instruments; their symbols stand in the lines from now on.
  ///
  /// - Parameter instruments: What the look-up found.
  public func learn(_ instruments: [Instrument]) {
    for instrument in instruments { encoder.learn(instrument) }
  }

  /// Prints events.
  ///
  /// - Parameter batch: The events.
  /// - Throws: ``Finished`` when as many lines as wanted are printed, or when nobody will read any
  ///   more; ``StorageError`` for any other failure.
  public func write(_ batch: EventBatch) throws {
    guard linesLeft > 0 else { throw Finished() }
    if case .dropped(let count, _) = batch.first { dropped += count }
    if let origin = batch.origin as? RecordedRun, origin !== self.origin { try begin(origin) }
    _ = encoder.append(batch, to: sheet)
    let lines = sheet.sheet
    let new = lines.count - sheet.printed
    sheet.printed = lines.count
    try writeHead()
    guard new > 0 else { return }
    defer { lines.lines.removeAll() }
    if configuration.form == .json {
      if new > linesLeft { lines.keepLines(linesLeft) }
      linesLeft -= min(new, linesLeft)
      try lines.lines.withBytes { bytes in try writeAll(bytes) }
    } else {
      let all = lines.lines.withBytes { configuration.form.records(of: $0) }
      let wanted = all.prefix(linesLeft)
      linesLeft -= wanted.count
      try wanted.flatMap(\.self).withUnsafeBytes { bytes in try writeAll(bytes) }
    }
    if linesLeft == 0 { throw Finished() }
  }

  /// Prints what stands above the lines, once, also if there will be none.
  private func writeHead() throws {
    guard !hasHead else { return }
    hasHead = true
    guard let head = configuration.form.head else { return }
    try head.withUnsafeBytes { bytes in try writeAll(bytes) }
  }

  /// Goes on with the events of a recorded run, under its name.
  private func begin(_ origin: RecordedRun) throws(StorageError) {
    self.origin = origin
    encoder = try EventEncoder(replaying: origin, channels: configuration.channels)
    if let down = origin.down { _ = encoder.append(down, to: sheet) }
  }

  /// That there is nothing more to print: an end, not a failure.
  public struct Finished: Error, Sendable {
    /// An end.
    public init() {}
  }

  private func writeAll(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count >= 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        continue
      }
      switch errno {
      case EINTR: continue
      case EPIPE: throw Finished()
      case EAGAIN:
        // Somebody who shares the descriptor, a terminal perhaps, made it non-blocking.
        var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&wanted, 1, -1)
      default: throw StorageError("write", "to standard output", number: errno)
      }
    }
  }

  /// All lines on one sheet, whatever their channel.
  private final class SingleSheet: LineSheets {
    let sheet = LineSheet()
    /// How many of its lines are dealt with.
    var printed = 0

    func sheet(_ channel: Channel, symbol: String?, at realtime: Int64) -> LineSheet { sheet }
  }
}

extension LineSheet {
  /// Forgets the waiting lines after the first so many.
  fileprivate func keepLines(_ wanted: Int) {
    var left = wanted
    let end = lines.withBytes { bytes in
      bytes.firstIndex { byte in
        guard byte == UInt8(ascii: "\n") else { return false }
        left -= 1
        return left == 0
      }
    }
    if let end { lines.truncate(to: end + 1) }
  }
}
