// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Recording

/// How a stream is printed.
struct StreamForm: ParsableArguments {
  @Flag(help: "A table, also in a pipe, where it is a line for each quote.")
  var table = false

  @Flag(help: "NDJSON, also on a terminal.")
  var json = false

  @Flag(help: "Comma-separated values with a head (RFC 4180), of one channel.")
  var csv = false

  @Flag(help: "The server's messages as they come, but for secrets, each on a line.")
  var raw = false

  func validate() throws {
    if [table, json, csv, raw].count(where: { $0 }) > 1 {
      throw ValidationError("--table, --json, --csv and --raw exclude each other: choose one")
    }
  }

  /// What is to be printed.
  enum Choice: Hashable {
    /// A table that is drawn over the whole terminal.
    case screen
    /// A table that grows by a line for each quote.
    case lines
    /// For programs.
    case records(LineForm, Set<Channel>)
  }

  /// Chooses.
  ///
  /// - Parameters:
  ///   - channels: The channels that were asked for, nil if none were.
  ///   - feeds: Those of the feeds that were asked for.
  ///   - terminal: Where it goes to; nil if that is no terminal.
  /// - Returns: The choice.
  /// - Throws: `ValidationError` for what cannot be printed together.
  func choice(
    channels: Set<Channel>?,
    feeds: Set<Channel>,
    on terminal: Terminal?
  ) throws -> Choice {
    if raw {
      guard channels == nil || channels == [.raw] else {
        throw ValidationError("--raw prints messages and no other channel: leave --channels out")
      }
      return .records(.messages, [.raw])
    }
    let wanted = channels ?? Set([.quote, .gap]).union(feeds)
    if csv {
      // Quotes and gaps have different columns, and it is quotes that are meant.
      let chosen = channels ?? (feeds.isEmpty ? [.quote] : feeds)
      guard chosen.count == 1, let channel = chosen.first else {
        throw ValidationError("--csv has the columns of one channel: name it, as --channels quote")
      }
      return .records(.csv(channel), chosen)
    }
    let isTable = table || terminal != nil && !json && channels == nil && feeds.isEmpty
    guard isTable else { return .records(.json, wanted) }
    guard channels == nil, feeds.isEmpty else {
      throw ValidationError("--table shows quotes: leave --channels and --feeds out, or use --json")
    }
    return terminal?.hasCursor == true ? .screen : .lines
  }
}
