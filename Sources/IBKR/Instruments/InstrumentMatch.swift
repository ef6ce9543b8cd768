// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// An underlying that a search has found, and what is traded on it.
public struct InstrumentMatch: Sendable, Hashable {
  /// What is traded of an underlying: itself, its options, its futures.
  public struct Section: Sendable, Hashable {
    /// The asset class: `STK`, `OPT`, `FUT`, ….
    public let securityType: String
    /// The months in which there are contracts, as `DEC26`.
    public let months: [String]
    /// The exchanges.
    public let exchanges: [String]
  }

  /// The underlying.
  public let instrument: Instrument
  /// What is traded on it.
  public let sections: [Section]

  /// Asset classes that stand on something else.
  private static let derived: Set<String> = [
    "OPT", "FUT", "FOP", "WAR", "IOPT", "CFD", "BAG", "CS", "SLB",
  ]

  /// Reads an element of an answer of `iserver/secdef/search` (protocol reference 6.1).
  ///
  /// There is none for an issuer of bonds, which has no conid of its own: 2147483647 stands for it,
  /// and -1 for nothing at all.
  init?(answer: JSONValue) {
    guard let conid = answer["conid"]?.int, conid > 0, conid < Int(Int32.max),
      let symbol = answer["symbol"]?.string
    else { return nil }
    func list(_ value: JSONValue?) -> [String] {
      value?.string?.split(separator: ";").map(String.init) ?? []
    }
    sections = (answer["sections"]?.elements ?? []).compactMap { section in
      section["secType"]?.string.map {
        Section(
          securityType: $0,
          months: list(section["months"]),
          exchanges: list(section["exchange"])
        )
      }
    }
    let types = sections.map(\.securityType)
    instrument = Instrument(
      conid: conid,
      symbol: symbol,
      name: answer["companyName"]?.string,
      exchange: answer["description"]?.string,
      securityType: types.first { !Self.derived.contains($0) }
    )
  }

  /// Whether the underlying itself can be traded or watched, as the root of futures cannot.
  var isInstrument: Bool { sections.isEmpty || instrument.securityType != nil }

  /// The part of a type, nil if there is nothing of it.
  func section(_ type: String) -> Section? { sections.first { $0.securityType == type } }
}
