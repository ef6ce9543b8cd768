// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import JSON

extension IbkrClient {
  /// Asks when an instrument is traded, extended hours included, for about the next six days
  /// (protocol reference 6.1).
  ///
  /// - Parameters:
  ///   - conid: The instrument.
  ///   - exchange: The exchange; nil for the one that the server chooses.
  /// - Returns: The hours.
  /// - Throws: ``IbkrError``; with `unexpectedAnswer` for an answer without a schedule.
  public func tradingHours(
    of conid: Int,
    exchange: String? = nil
  ) async throws(IbkrError) -> TradingHours {
    var query = [(name: "conid", value: "\(conid)")]
    if let exchange { query.append((name: "exchange", value: exchange)) }
    let answer = try await call(.get, "contract/trading-schedule", query: query)
    guard let hours = TradingHours(answer: answer) else {
      throw unexpected("without a schedule", from: "GET contract/trading-schedule")
    }
    return hours
  }
}
