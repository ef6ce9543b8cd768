// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import GatewaySimulator
import IBKR
import Transport

/// A trial that is being played: the client with all who watch it.
struct Play: Sendable {
  let trial: Trial
  let witness: Witness
  private let client: IbkrClient
  private let stream: IbkrWsClient
  private let run: Task<IbkrError?, Never>
  private let listeners: [Task<ListenerAccount, Never>]

  /// Starts the client.
  ///
  /// - Parameters:
  ///   - trial: What happens.
  ///   - client: The REST side, with its loop and its network.
  ///   - resolver: What looks names up for it.
  ///   - network: The network, where it is one in memory.
  ///   - patience: How patient the stream is.
  /// - Throws: If a feed is refused.
  init(
    _ trial: Trial,
    _ client: IbkrClient,
    _ resolver: ScriptedResolver,
    _ network: MemoryNetwork?,
    _ patience: StreamConfiguration
  ) async throws {
    self.trial = trial
    self.client = client
    let loop = client.loop
    let stream = IbkrWsClient(ibkrClient: client, configuration: patience, logger: client.logger)
    self.stream = stream
    let witness = Witness(on: loop, from: loop.now, keepsDigests: !trial.listeners.isEmpty)
    self.witness = witness
    stream.attach(witness)
    listeners = trial.listeners.map { plan in
      let events = stream.events(matching: .all, buffering: plan.policy)
      return Task(executorPreference: loop) { await plan.listen(to: events, on: loop) }
    }
    for feed in trial.feeds { try await feed.want(of: stream) }
    for (act, after) in trial.acts { Self.schedule(act, after: after, on: loop, resolver, network) }
    run = Task(executorPreference: loop) { () -> IbkrError? in
      do throws(IbkrError) {
        try await stream.run()
        return nil
      } catch {
        return error
      }
    }
  }

  /// Ends the client in good order.
  func stop() async {
    await stream.stop()
    await client.close()
  }

  /// What was seen, after everything has ended.
  ///
  /// - Parameters:
  ///   - requests: What the simulator was asked.
  ///   - lastQuotes: How many quotes came in the last 20 s.
  ///   - sent: What the simulator sent.
  ///   - tolerance: By how many nanoseconds the clocks of both sides may be read apart.
  /// - Returns: What was seen.
  func report(
    requests: [ServedRequest],
    lastQuotes: Int,
    sent: [SentFrame],
    tolerance: Int64
  ) async -> Report {
    let error = await run.value
    let notes = await witness.notes
    let digests = await witness.digests
    var heard: [Report.Heard] = []
    for listener in listeners {
      var account = await listener.value
      let (problems, lost) = account.conclude(digests, lastSeq: notes.lastSeq)
      heard.append(
        Report.Heard(
          policy: account.policy.action,
          taken: account.taken.count,
          lost: lost,
          told: account.told,
          hasFailed: account.hasFailed,
          problems: problems
        )
      )
    }
    return Report(
      trial: trial,
      entries: await witness.entries,
      gaps: await witness.gaps,
      requests: requests,
      lastQuotes: lastQuotes,
      error: error,
      notes: notes,
      ledger: await witness.conclude(sent, tolerance: tolerance),
      heard: heard
    )
  }

  private static func schedule(
    _ act: Trial.Act,
    after: Duration,
    on loop: EventLoop,
    _ resolver: ScriptedResolver,
    _ network: MemoryNetwork?
  ) {
    let time = loop.deadline(after: after)
    switch act {
    case .setClock(let step):
      loop.schedule(at: time) { loop.shiftClocks(realtime: step.nanoseconds, boot: 0) }
    case .sleep(let duration):
      let nanoseconds = duration.nanoseconds
      loop.schedule(at: time) { loop.shiftClocks(realtime: nanoseconds, boot: nanoseconds) }
    case .reset: loop.schedule(at: time) { network?.forEachLink { $0.reset() } }
    case .namesGone(let duration, let outage):
      loop.schedule(at: time) { resolver.set(outage) }
      loop.schedule(at: time + duration.nanoseconds) { resolver.set(nil) }
    }
  }
}
