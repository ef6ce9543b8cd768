// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
public import IBKR

/// Fills the gaps of a recording afterwards, in a run of its own.
///
/// That run writes the server's answers to `ch=raw`, the bars to `ch=bar` and what came of each gap to
/// `ch=status`. It records nothing of the present, so the time in which nobody was recording goes on.
public struct GapFilling: Sendable {
  private let directory: String
  private let reader: RecordingReader
  private let makeSink: @Sendable (NDJSONFileSink.Configuration) throws -> NDJSONFileSink

  /// Names a recording.
  ///
  /// - Parameter directory: The directory; it must be there.
  /// - Throws: ``StorageError`` if there is no such directory.
  public init(directory: String) throws(StorageError) {
    self.directory = directory
    reader = try RecordingReader(directory: directory)
    makeSink = { configuration in try NDJSONFileSink(configuration) }
  }

  /// Names a recording in a storage of the caller's.
  init(
    _ reader: RecordingReader,
    sink: @escaping @Sendable (NDJSONFileSink.Configuration) throws -> NDJSONFileSink
  ) {
    directory = "memory"
    self.reader = reader
    makeSink = sink
  }

  /// What there is to ask.
  ///
  /// - Parameter gaps: The names of the gaps that matter, also those for which nothing is left to ask;
  ///   nil for all that are not settled.
  /// - Returns: The gaps' instruments, the oldest gap first.
  /// - Throws: ``StorageError``.
  public func plan(for gaps: Set<String>? = nil) throws(StorageError) -> [RecordedBackfill] {
    let all = try reader.gaps()
    guard let gaps else {
      return try reader.backfills(of: all).filter { $0.rest != nil }
    }
    let wanted = all.filter { gaps.contains($0.id) }
    return try reader.backfills(of: wanted).map { backfill in
      var again = backfill
      again.rest = backfill.rest ?? backfill.range
      return again
    }
  }

  /// What a recorder that begins has to ask for: what is not settled of the gaps that were written in
  /// the last week, the newest first.
  ///
  /// - Parameter realtime: The time now, in nanoseconds since 1970.
  /// - Returns: The stretches of time.
  /// - Throws: ``StorageError``.
  public func unsettled(at realtime: Int64) throws(StorageError) -> [Backfill] {
    let week: Int64 = 7 * 86_400_000_000_000
    let days = UTCDate(realtime: realtime - week)...UTCDate(realtime: realtime + week)
    let gaps = try reader.gaps(inDays: days)
    return try reader.backfills(of: gaps, inDays: days).reversed().compactMap(\.backfill)
  }

  /// Asks, and records what comes.
  ///
  /// - Parameters:
  ///   - plan: What ``plan(for:)`` has given.
  ///   - client: Whom to ask; with OAuth its brokerage session must be open.
  ///   - tool: The name and version of the program, for the run's record.
  ///   - told: Called with each thing that there is to tell.
  /// - Returns: How many stretches have no final answer.
  /// - Throws: ``StorageError``, with ``StorageError/Code/inUse`` while a recorder is at work here;
  ///   `IbkrError` if there is no session or nobody is reached. What came before is recorded.
  public func run(
    _ plan: [RecordedBackfill],
    asking client: IbkrClient,
    tool: String = "ibkr-stream",
    told: @escaping @Sendable (BackfillProgress) -> Void = { _ in }
  ) async throws -> Int {
    // Opens the accounts for market data, and says at once whether there is a session to ask in.
    try await client.accounts()
    var configuration = NDJSONFileSink.Configuration(directory: directory)
    configuration.channels = [.raw, .bar, .status]
    configuration.purpose = .backfill
    configuration.timeFormat = try timeFormat
    configuration.tool = tool
    configuration.settings = ["stretches": "\(plan.count)"]
    let sink = try makeSink(configuration)
    try await sink.open()
    do {
      let known = try reader.instruments()
      let wanted = Set(plan.map(\.conid))
      try await sink.learn(known.filter { wanted.contains($0.conid) })
      let left = try await BackfillRun(ibkrClient: client)
        .run(plan.compactMap(\.backfill), into: sink, told: told)
      try await sink.close()
      return left
    } catch {
      // What has come is kept; the first error is the one that counts.
      try? await sink.close()
      throw error
    }
  }

  /// One directory has times of one kind.
  private var timeFormat: TimeFormat {
    get throws(StorageError) {
      for run in try reader.runs().reversed() {
        if let record = try RunRecord.read(run, from: reader.storage) { return record.layout.time }
      }
      return .nanoseconds
    }
  }
}
