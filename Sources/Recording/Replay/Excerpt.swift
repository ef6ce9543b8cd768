// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR

/// What of a recording is wanted.
public struct Excerpt: Sendable, Hashable {
  /// From when on, in nanoseconds since 1970; nil for the beginning.
  public var from: Int64?

  /// Until when, that moment not included, in nanoseconds since 1970; nil for the end.
  public var to: Int64?

  /// The instruments; empty for all.
  ///
  /// What concerns no instrument is there in any case.
  public var conids: Set<Int> = []

  /// Creates an excerpt.
  ///
  /// - Parameters:
  ///   - from: From when on, in nanoseconds since 1970; nil for the beginning.
  ///   - to: Until when, in nanoseconds since 1970; nil for the end.
  ///   - conids: The instruments; empty for all.
  public init(from: Int64? = nil, to: Int64? = nil, conids: Set<Int> = []) {
    self.from = from
    self.to = to
    self.conids = conids
  }

  /// Everything there is.
  public static let everything = Excerpt()

  /// Before the first event there has to be this much for quotes and subscriptions to be known: by
  /// then every subscription has been renewed, and its quote begun anew.
  static let leadIn: Int64 = 1_200_000_000_000

  /// When reading begins.
  var readFrom: Int64 { from.map { $0 - Self.leadIn } ?? .min }

  /// The days whose parts may be needed.
  var days: ClosedRange<UTCDate>? {
    guard from != nil || to != nil else { return nil }
    let day: Int64 = 86_400_000_000_000
    // The clock may have been set over midnight in between.
    let first = UTCDate(realtime: from.map { $0 - Self.leadIn - day } ?? 0)
    let last = UTCDate(realtime: to.map { $0 + day } ?? 4_102_444_800_000_000_000)
    return min(first, last)...max(first, last)
  }
}

extension RecordingReader {
  /// The conids that names stand for, as the recorder has looked them up.
  ///
  /// - Parameter names: Symbols or conids.
  /// - Returns: The conids.
  /// - Throws: ``StorageError``, or `IbkrError` with the code `unknownSymbol` for a name that the
  ///   recording does not have.
  public func conids(named names: [String]) throws -> Set<Int> {
    var found: Set<Int> = []
    let known = try instruments()
    for name in names {
      // A stream of one exchange is recorded under `AAPL@ARCA`.
      let symbol = String(name.prefix { $0 != "@" })
      let conids = known.filter { $0.symbol == symbol }.map(\.conid)
      if let conid = Int(symbol) {
        found.insert(conid)
      } else if conids.isEmpty {
        throw IbkrError(
          .unknownSymbol,
          "the recording has no instrument '\(name)'",
          remedy: "see instruments.ndjson, or name a conid"
        )
      }
      found.formUnion(conids)
    }
    return found
  }
}
