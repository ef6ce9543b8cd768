// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Logging

/// Runs a stream for as long as a body of code.
///
/// The stream is started before the body and stopped after it: the sinks have written everything
/// when this returns. If the body throws, the stream is stopped all the same.
///
/// - Parameters:
///   - ibkrClient: The REST side, which gives the session.
///   - configuration: How patient the stream is.
///   - body: What to do with the stream.
/// - Returns: What the body returns.
/// - Throws: What the body throws, or ``IbkrError`` if the first connection could not be made.
public func withIbkrWsClient<Result>(
  ibkrClient: IbkrClient,
  configuration: StreamConfiguration = StreamConfiguration(),
  _ body: (IbkrWsClient) async throws -> Result
) async throws -> Result {
  let stream = IbkrWsClient(ibkrClient: ibkrClient, configuration: configuration)
  return try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await stream.run() }
    do {
      let result = try await body(stream)
      await stream.stop()
      try await group.waitForAll()
      return result
    } catch {
      await stream.stop()
      throw error
    }
  }
}
