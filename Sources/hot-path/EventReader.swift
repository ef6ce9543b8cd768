// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import WebSocket

/// Makes numbered, routed events of frames, as the client does it on its I/O thread.
struct EventReader: ~Copyable {
  private var frames: FrameReader
  private var intake = Intake()
  /// A read each 100 µs.
  private var time: Int64 = 0

  init(_ frames: Frames) {
    self.frames = FrameReader(frames)
    intake.subscribe(
      SubscriptionKey(
        topic: .marketData,
        target: "\(Frames.conid)",
        conid: Frames.conid,
        number: 1
      )
    )
  }

  /// The next events, nil when there are no more.
  mutating func next() throws -> EventBatch? {
    guard let messages = try frames.next() else { return nil }
    time += 100_000
    return intake.take(messages, realtime: 1_795_470_934_948_000_000 + time, monotonic: time)
  }
}
