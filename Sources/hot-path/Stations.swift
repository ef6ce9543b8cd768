// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import Recording
import Transport

extension HotPath {
  /// Records the messages; nothing is sealed, so no digest is counted.
  ///
  /// - Returns: How many lines there are of each channel, if they are as many.
  func record(_ frames: Frames, _ channels: Set<Channel>, into directory: String) async throws
    -> Int
  {
    var configuration = NDJSONFileSink.Configuration(directory: directory)
    configuration.channels = channels
    configuration.synchronization = .never
    let loop = try EventLoop(name: "disk")
    defer { loop.stop() }
    let sink = NDJSONFileSink(configuration, disk: loop) { () throws(StorageError) in
      try POSIXStorage(directory: directory)
    }
    // On the sink's own thread, so that nothing changes threads and no timer comes between.
    try await loop.run { _ in
      var events = EventReader(frames)
      while let batch = try events.next() { try await sink.write(batch) }
      try await sink.flush()
    }
    let written = sink.figures.written
    return channels.map { Int(written[$0]?.lines ?? 0) }.min() ?? 0
  }

  /// Has a bot take the messages as quotes, one by one.
  ///
  /// - Returns: How many had a price.
  func takeEvents(_ frames: Frames) async throws -> Int {
    let broadcast = Broadcast()
    var events = EventReader(frames)
    var iterator = subscribe(to: broadcast).makeAsyncIterator()
    var prices = 0
    while let batch = try events.next() {
      broadcast.publish(batch)
      for _ in 0..<batch.count {
        if let event = try await iterator.next(), Self.hasPrice(event) { prices += 1 }
      }
    }
    return prices
  }

  /// Has a bot take the messages as quotes, batch by batch.
  ///
  /// - Returns: How many had a price.
  func takeBatches(_ frames: Frames) async throws -> Int {
    let broadcast = Broadcast()
    var events = EventReader(frames)
    var iterator = subscribe(to: broadcast).batches.makeAsyncIterator()
    var prices = 0
    while let batch = try events.next() {
      broadcast.publish(batch)
      for event in try await iterator.next() ?? batch[batch.endIndex...] where Self.hasPrice(event)
      {
        prices += 1
      }
    }
    return prices
  }

  private func subscribe(to broadcast: Broadcast) -> EventStream {
    broadcast.subscribe(matching: .marketData().withoutLifecycle, buffering: .backpressure)
  }

  private static func hasPrice(_ event: Event) -> Bool {
    guard case .message(let message) = event, let quote = MarketData(message) else { return false }
    return quote.last != nil
  }
}
