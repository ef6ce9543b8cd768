// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import JSON
import Transport

extension IbkrClient {
  /// Asks by REST for the last price, the bid and the ask of an instrument (protocol reference 6.4).
  ///
  /// The first question about an instrument only opens it, so it is asked three times at most, a
  /// second apart.
  ///
  /// - Parameter conid: The instrument.
  /// - Returns: The values as a quote has them, by the numbers of their fields; none if the server
  ///   does not say.
  /// - Throws: ``IbkrError``.
  func latestValues(of conid: Int) async throws(IbkrError) -> [(field: Int, value: String)] {
    let query = [(name: "conids", value: "\(conid)"), (name: "fields", value: "31,84,86")]
    for attempt in 1...3 {
      let answer = try await call(.get, "iserver/marketdata/snapshot", query: query)
      let row = answer.elements?.first { $0["conid"]?.int == conid }
      let values = [31, 84, 86].compactMap { field in
        row?["\(field)"]?.string.map { (field: field, value: $0) }
      }
      if !values.isEmpty { return values }
      guard attempt < 3 else { break }
      do { try await loop.sleep(for: .seconds(1)) } catch { return [] }
    }
    return []
  }
}
