// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Transport

/// Asks for the bars of gaps without a stream: what nobody has asked for while it was recorded.
///
/// It makes events as a stream does, numbered from 1: the answers, as messages of the kind `backfill`,
/// and what has come of each stretch of time. It lives on the client's I/O thread.
public actor BackfillRun {
  private nonisolated let client: IbkrClient
  private var queue = BackfillQueue()
  private var builder = EventBatchBuilder()
  private var networkFailures = 0

  /// The I/O thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    client.loop.asUnownedSerialExecutor()
  }

  /// What has to be waited for longer is left for another time: data that is delayed, or a penalty.
  static let patience: Int64 = 120_000_000_000
  /// So many questions in a row that reach nobody end the run.
  private static let mostNetworkFailures = 4

  /// Prepares a run.
  ///
  /// - Parameter ibkrClient: Whom to ask; with OAuth its brokerage session must be open.
  public init(ibkrClient: IbkrClient) {
    client = ibkrClient
  }

  /// Asks until everything has its answer, or what is left has to wait for minutes.
  ///
  /// - Parameters:
  ///   - stretches: What to fill.
  ///   - sink: Gets the events; it is neither flushed nor closed.
  ///   - told: Called with each thing that there is to tell, after the sink.
  /// - Returns: How many stretches have no final answer.
  /// - Throws: ``IbkrError`` if there is no session, or nobody is reached; what the sink throws. What
  ///   came before that is in the sink.
  public func run(
    _ stretches: [Backfill],
    into sink: some EventSink,
    told: @Sendable (BackfillProgress) -> Void = { _ in }
  ) async throws -> Int {
    let start = client.loop.timestamp()
    var refused = 0
    for stretch in stretches {
      guard
        let progress = queue.add(stretch, at: start.monotonic, realtime: start.realtime)
      else { continue }
      refused += 1
      try await tell(.init(progress: progress), [], into: sink, told)
    }
    queue.opened(at: start.monotonic, settles: false)
    while let deadline = queue.deadline {
      try Task.checkCancellation()
      let now = client.loop.now
      guard let question = queue.next(at: now) else {
        guard deadline - now <= Self.patience else { break }
        try await client.loop.sleep(until: deadline)
        continue
      }
      let answer: (bytes: [UInt8], reading: BackfillAnswer)
      do throws(IbkrError) {
        answer = try await client.ask(question.page)
      } catch {
        let progress = queue.failed(question, BackfillQueue.Failure(error), at: client.loop.now)
        if let progress { try await tell(.init(progress: progress), [], into: sink, told) }
        if isHopeless(error) { throw error }
        continue
      }
      networkFailures = 0
      let arrival = client.loop.timestamp()
      let outcome = queue.answered(
        question,
        answer.reading,
        at: arrival.monotonic,
        realtime: arrival.realtime
      )
      try await tell(outcome, answer.bytes, into: sink, told)
    }
    return queue.count + refused
  }

  /// Whether nothing else can be had either.
  private func isHopeless(_ error: IbkrError) -> Bool {
    switch error.code {
    case .authentication, .sessionGone, .competing, .untrusted, .closed: return true
    case .network:
      networkFailures += 1
      return networkFailures >= Self.mostNetworkFailures
    default:
      networkFailures = 0
      return false
    }
  }

  private func tell(
    _ outcome: BackfillQueue.Outcome,
    _ answer: [UInt8],
    into sink: some EventSink,
    _ told: @Sendable (BackfillProgress) -> Void
  ) async throws {
    let now = client.loop.timestamp()
    if let backfill = outcome.kept {
      answer.withUnsafeBytes {
        builder.append(
          answer: $0,
          to: backfill,
          realtime: now.realtime,
          monotonic: now.monotonic
        )
      }
    }
    if let progress = outcome.progress {
      builder.append(.backfill(progress), realtime: now.realtime, monotonic: now.monotonic)
    }
    if let batch = builder.take() { try await sink.write(batch) }
    if let progress = outcome.progress { told(progress) }
  }
}
