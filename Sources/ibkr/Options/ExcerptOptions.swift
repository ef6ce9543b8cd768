// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Recording

/// What of a recording is wanted.
struct ExcerptOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "From when on, in UTC: 2026-11-23, 2026-11-23T14:30:00.5, or nanoseconds since 1970.",
      valueName: "time"
    )
  )
  var from: Moment?

  @Option(help: ArgumentHelp("Until when; that moment is not included.", valueName: "time"))
  var to: Moment?

  @Option(
    name: [.customLong("symbols"), .customLong("symbol")],
    help: ArgumentHelp("Only these instruments, by symbol or conid.", valueName: "symbol,…")
  )
  var symbols: String?

  func validate() throws {
    if let from, let to, from.realtime >= to.realtime {
      throw ValidationError("--from must be before --to")
    }
  }

  /// The excerpt.
  ///
  /// - Parameter reader: The recording, which knows the symbols.
  /// - Returns: The excerpt.
  /// - Throws: What the recording cannot read, or `IbkrError` for a symbol that it does not have.
  func excerpt(of reader: RecordingReader) throws -> Excerpt {
    let names = symbols?.split(separator: ",").map(String.init) ?? []
    return Excerpt(
      from: from?.realtime,
      to: to?.realtime,
      conids: names.isEmpty ? [] : try reader.conids(named: names)
    )
  }
}

/// A moment as a person writes it.
struct Moment: ExpressibleByArgument, Hashable {
  /// Nanoseconds since 1970.
  let realtime: Int64

  init?(argument: String) {
    guard let realtime = TimeText.moment(argument) else { return nil }
    self.realtime = realtime
  }
}
