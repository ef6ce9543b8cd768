// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import JSON
import Transport

extension IbkrClient {
  /// Asks by REST when an instrument last had news (protocol reference 6.4).
  ///
  /// The first question about an instrument only opens it, so it is asked three times at most, a
  /// second apart.
  ///
  /// - Parameter conid: The instrument.
  /// - Returns: The server's time in milliseconds since 1970; nil if it does not say.
  /// - Throws: ``IbkrError``.
  func lastUpdate(of conid: Int) async throws(IbkrError) -> Int64? {
    let query = [(name: "conids", value: "\(conid)"), (name: "fields", value: "31,84,86")]
    for attempt in 1...3 {
      let answer = try await call(.get, "iserver/marketdata/snapshot", query: query)
      let rows = answer.elements ?? []
      if let row = rows.first(where: { $0["conid"]?.int == conid }),
        let updated = row["_updated"]?.int
      {
        return Int64(updated)
      }
      guard attempt < 3 else { break }
      do { try await loop.sleep(for: .seconds(1)) } catch { return nil }
    }
    return nil
  }
}
