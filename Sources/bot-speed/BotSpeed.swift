// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import IBKR
import JSON

/// A bot that does nothing but take quotes, and says what that cost.
@main struct BotSpeed: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bot-speed",
    abstract: "Take quotes as fast as they come; print one line of JSON about it.",
    discussion: "For scripts/bench, whose server sends as many messages as are asked for here."
  )

  @Option(help: "The gateway's address, up to /v1/api.")
  var gateway: String

  @Option(help: "Trust the authorities in this PEM file.")
  var ca: String

  @Option(help: "The first conid; the others follow it.")
  var conid = 265_598

  @Option(help: "How many instruments.")
  var instruments = 1

  @Option(help: "End after so many quotes.")
  var messages: Int

  @Option(help: "How many subscribers take them, each all of them.")
  var subscribers = 1

  @Option(help: "How they are taken: \(Manner.names).")
  var taking = Manner.batches

  /// How a subscriber takes its events, and what it does with them.
  enum Manner: String, ExpressibleByArgument, CaseIterable {
    /// Batch by batch, and reads the last price of each quote.
    case batches
    /// Event by event, and reads the last price of each quote.
    case events
    /// Event by event, and reads the time at which it was sent.
    case latency

    static let names = allCases.map(\.rawValue).joined(separator: ", ")
  }

  func run() async throws {
    var configuration = IbkrConfiguration()
    configuration.restURL = gateway
    configuration.trust = .authorities(file: ca)
    let client = try IbkrClient(configuration: configuration)
    var streaming = StreamConfiguration()
    streaming.marketDataLines = max(100, instruments)
    let stream = IbkrWsClient(ibkrClient: client, configuration: streaming)
    let conids = conid..<(conid + instruments)
    for conid in conids { try await stream.want(.marketData(conid: conid)) }

    let quotes = EventFilter.marketData().withoutLifecycle
    let takers = (0..<subscribers).map { _ in
      Taker(
        stream.events(matching: quotes, buffering: .backpressure),
        enough: messages,
        first: instruments > 1 ? instruments : 0
      )
    }
    let manner = taking
    let taken = try await withThrowingTaskGroup(of: Taken?.self) { group in
      group.addTask {
        try await stream.run()
        return nil
      }
      for taker in takers { group.addTask { try await taker.take(manner) } }
      var all: [Taken] = []
      while let ended = try await group.next() {
        if let ended { all.append(ended) }
        if all.count == subscribers { await stream.stop() }
      }
      return all
    }
    await client.close()
    print(Self.report(taken).text)
  }

  private static func report(_ taken: [Taken]) -> JSONValue {
    let start = taken.map(\.before.monotonic).min() ?? 0
    let end = taken.map(\.after.monotonic).max() ?? 0
    // The process is one: what was spent between the first quote and the last is everybody's.
    let before = taken.min { $0.before.monotonic < $1.before.monotonic }?.before
    let after = taken.max { $0.after.monotonic < $1.after.monotonic }?.after
    var members: [JSONValue.Member] = [
      member("messages", Double(taken.map(\.count).min() ?? 0)),
      member("seconds", Double(end - start) / 1e9),
      member("cpu_user", (after?.userSeconds ?? 0) - (before?.userSeconds ?? 0)),
      member("cpu_system", (after?.systemSeconds ?? 0) - (before?.systemSeconds ?? 0)),
      member("rss", after?.peakMegabytes ?? 0),
    ]
    let delays = (taken.first?.delays ?? []).sorted()
    if let longest = delays.last {
      for (name, share) in [("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999)] {
        members.append(member(name, Double(delays[Int(Double(delays.count - 1) * share)]) / 1e3))
      }
      members.append(member("max_us", Double(longest) / 1e3))
    }
    return .object(members)
  }

  private static func member(_ name: String, _ value: Double) -> JSONValue.Member {
    .init(key: name, value: .number("\((value * 1e6).rounded() / 1e6)"))
  }
}
