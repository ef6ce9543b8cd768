// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import Recording

/// Takes messages from memory through some stations of the way that every message goes.
///
/// Always the same messages, no network, one thread at work: what it costs can be counted in
/// instructions, and does not depend on what else the machine has to do.
@main struct HotPath: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hot-path",
    abstract: "Take messages from memory to a station, so that the instructions can be counted.",
    discussion: """
      For scripts/instructions, which compares two runs that differ in --messages only: what both \
      have done before the first message falls out.
      """
  )

  /// How far the messages go.
  enum Station: String, ExpressibleByArgument, CaseIterable {
    /// Frames are decoded into batches of messages.
    case frames
    /// Messages are numbered, routed, and lines of `ch=raw` in a file.
    case raw
    /// And lines of `ch=quote`.
    case rawQuote = "raw-quote"
    /// Messages are numbered, routed, and a bot takes them as quotes, one by one.
    case events
    /// Likewise, batch by batch.
    case batches

    static let names = allCases.map(\.rawValue).joined(separator: ", ")
  }

  @Argument(help: "How far the messages go: \(Station.names).")
  var station: Station

  @Option(help: "How many messages.")
  var messages = 10_000

  @Option(help: "How many messages are prepared; what is not asked for is left over.")
  var prepared = 30_000

  @Flag(help: "Messages of 60 bytes with a price, and not of 290 with a whole quote.")
  var short = false

  @Option(help: "The directory to record into, for raw and raw-quote.")
  var output: String?

  func validate() throws {
    guard messages > 0, messages <= prepared else {
      throw ValidationError("--messages must be between 1 and --prepared.")
    }
    guard (output != nil) == (station == .raw || station == .rawQuote) else {
      throw ValidationError("--output goes with raw and raw-quote.")
    }
  }

  /// Not `async`: valgrind does not survive what becomes of the main thread then.
  func run() throws {
    Task {
      do {
        try await work()
        Self.exit()
      } catch {
        Self.exit(withError: error)
      }
    }
    while true { pause() }
  }

  @concurrent private func work() async throws {
    let frames = Frames(count: prepared, reading: messages, short: short)
    let arrived: Int
    switch station {
    case .frames:
      var reader = FrameReader(frames)
      arrived = try reader.count()
    case .raw: arrived = try await record(frames, [.raw], into: output ?? "")
    case .rawQuote: arrived = try await record(frames, [.raw, .quote], into: output ?? "")
    case .events: arrived = try await takeEvents(frames)
    case .batches: arrived = try await takeBatches(frames)
    }
    guard arrived == messages else {
      throw ValidationError("\(messages) messages were sent, and \(arrived) have arrived.")
    }
    print("\(arrived) messages")
  }
}
