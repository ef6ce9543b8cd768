// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Recording

/// Channels as a person lists them: `raw,quote`.
struct ChannelList: ExpressibleByArgument, Hashable {
  /// The channels.
  let channels: Set<Channel>

  init?(argument: String) {
    var channels: Set<Channel> = []
    for name in argument.split(separator: ",", omittingEmptySubsequences: false) {
      guard let channel = Channel(rawValue: String(name)) else { return nil }
      channels.insert(channel)
    }
    guard !channels.isEmpty else { return nil }
    self.channels = channels
  }

  /// What there is to choose from.
  static let help = Channel.allCases.map(\.rawValue).joined(separator: ", ")
}
