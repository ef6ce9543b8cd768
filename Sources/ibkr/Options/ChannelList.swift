// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Recording

/// Channels as a person lists them: `raw,quote`.
struct ChannelList: Hashable {
  /// The channels.
  let channels: Set<Channel>

  /// Reads a list.
  ///
  /// - Parameters:
  ///   - text: The names, with commas between them.
  ///   - known: The channels that there are to choose from.
  /// - Throws: ``UnknownWord`` for a name that none has.
  init(_ text: String, of known: [Channel] = Channel.allCases) throws(UnknownWord) {
    var channels: Set<Channel> = []
    for name in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let channel = Channel(rawValue: String(name)), known.contains(channel) else {
        throw UnknownWord("channel", String(name), known: known.map(\.rawValue))
      }
      channels.insert(channel)
    }
    self.channels = channels
  }

  /// Reads a list, for an option's `transform`.
  static func parse(_ text: String) throws -> ChannelList { try ChannelList(text) }

  /// What there is to choose from.
  static let help = Channel.allCases.map(\.rawValue).joined(separator: ", ")
}
