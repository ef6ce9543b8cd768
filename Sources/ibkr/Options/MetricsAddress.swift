// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Monitoring

/// The value of `--metrics`: `127.0.0.1:9464`, `:9464`.
struct MetricsAddress: ExpressibleByArgument, Hashable {
  let address: ListeningAddress

  init?(argument: String) {
    guard let address = ListeningAddress(argument) else { return nil }
    self.address = address
  }
}
