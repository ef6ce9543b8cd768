// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import IBKR

/// What a subscriber has taken, and what the process had used before and after it.
struct Taken: Sendable {
  var count = 0
  /// In ns, from the server's sending to here.
  var delays: [Int64] = []
  var before = Usage.now()
  var after = Usage.now()
}

/// A subscriber.
struct Taker: Sendable {
  private let stream: EventStream
  private let enough: Int
  private let first: Int

  /// Prepares to take quotes.
  ///
  /// - Parameters:
  ///   - stream: Where they come from.
  ///   - enough: How many to take.
  ///   - first: How many of them to take before the clocks are read: the first quote of an instrument
  ///     makes its subscription active, which is no cost of a quote.
  init(_ stream: EventStream, enough: Int, first: Int) {
    self.stream = stream
    self.enough = enough
    self.first = first
  }

  /// Takes as many quotes as are enough, or those that come until the stream ends.
  @concurrent func take(_ manner: BotSpeed.Manner) async throws -> Taken {
    var taken = Taken()
    switch manner {
    case .batches:
      for try await batch in stream.batches {
        for index in batch.startIndex..<batch.endIndex { add(batch[index], to: &taken) }
        if taken.count >= enough { break }
      }
    case .events:
      for try await event in stream {
        add(event, to: &taken)
        if taken.count >= enough { break }
      }
    case .latency:
      taken.delays.reserveCapacity(enough)
      for try await event in stream {
        time(event, to: &taken)
        if taken.count >= enough { break }
      }
    }
    taken.after = Usage.now()
    return taken
  }

  private func add(_ event: Event, to taken: inout Taken) {
    guard case .message(let message) = event, let quote = MarketData(message) else { return }
    if taken.count == first { taken.before = Usage.now() }
    // A bot looks at the price; a quote without one is not what the server sends here.
    if quote.last != nil { taken.count += 1 }
  }

  private func time(_ event: Event, to taken: inout Taken) {
    guard case .message(let message) = event, let quote = MarketData(message) else { return }
    let now = Usage.monotonic()
    if taken.count == 0 { taken.before = Usage.now() }
    taken.count += 1
    if let sent = quote[.volumeLong].flatMap({ Int64($0.text) }) { taken.delays.append(now - sent) }
  }
}
