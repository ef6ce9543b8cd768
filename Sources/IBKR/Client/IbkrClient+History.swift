// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import JSON

extension IbkrClient {
  /// Asks for the bars of a page, behind everything else that waits.
  ///
  /// - Parameter page: The question.
  /// - Returns: The answer as it came, and what it says.
  /// - Throws: ``IbkrError``.
  func ask(
    _ page: BackfillPage
  ) async throws(IbkrError) -> (bytes: [UInt8], reading: BackfillAnswer) {
    let answer = try await answer(
      .get,
      "iserver/marketdata/history",
      query: page.query,
      urgency: .backfill
    )
    let reading = await BackfillAnswer(reading: answer.value)
    return (answer.bytes, reading)
  }
}

extension BackfillAnswer {
  /// Reads an answer off the caller's thread: a thousand bars take a moment.
  @concurrent
  init(reading value: JSONValue) async {
    self.init(value)
  }
}
