// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser

/// When to end without being asked to.
struct EndOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("End after so long, as 60s, 15m or 8h.", valueName: "duration")
  )
  var duration: TimeSpan?

  @Option(
    name: [.customShort("c"), .long],
    help: ArgumentHelp("End after so many market-data messages.", valueName: "n")
  )
  var count: Int?

  func validate() throws {
    if let count, count < 1 { throw ValidationError("--count takes a number above zero") }
  }
}

/// When to end a stream without being asked to, also one that would come back by itself.
struct LimitOptions: ParsableArguments {
  @OptionGroup var end: EndOptions

  @Option(
    help: ArgumentHelp(
      "End at a time: \(UntilTime.help).",
      discussion: "Without a date the next such time, without a zone that of this machine.",
      valueName: "time"
    )
  )
  var until: UntilTime?

  @Option(
    help: ArgumentHelp(
      "End with exit code 4 when the server, or the session, is away for so long. Without it the "
        + "stream comes back whenever they do.",
      valueName: "duration"
    )
  )
  var maxOutage: TimeSpan?

  @Flag(help: "End with exit code 8 when another login of the same user name takes the session.")
  var exitOnTakeover = false

  /// When to end, in nanoseconds since 1970.
  ///
  /// - Parameter now: The time.
  /// - Returns: The moment; nil for never.
  /// - Throws: `ValidationError` if it is over, or its zone is unknown.
  func moment(after now: Int64) throws -> Int64? { try until?.moment(after: now) }

  /// After how long to end.
  var duration: TimeSpan? { end.duration }

  /// After how many messages to end.
  var count: Int? { end.count }
}
