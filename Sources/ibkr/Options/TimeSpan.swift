// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Flow

/// A duration as a person writes it: `500ms`, `60s`, `15m`, `8h`, `1d`.
struct TimeSpan: ExpressibleByArgument, Hashable {
  /// The duration.
  let duration: Duration

  init?(argument: String) {
    guard let duration = Duration(text: argument), duration > .zero else { return nil }
    self.duration = duration
  }
}
