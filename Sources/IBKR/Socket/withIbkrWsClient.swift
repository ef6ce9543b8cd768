// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Logging

/// Runs a stream for as long as a body of code.
///
/// The stream is started before the body and stopped after it: the sinks have written everything
/// when this returns. If the body throws, the stream is stopped all the same. If the task is
/// cancelled, sequences that the body iterates end; the stream itself is still stopped in good order:
/// it unsubscribes, closes the connection and lets the sinks finish.
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
  // These two are no child tasks, because cancelling is not to reach them: it would cut the
  // connection before anything is unsubscribed. Neither outlives this function.
  let running = Task { try await stream.run() }
  func stop() async { await Task { await stream.stop() }.value }
  do {
    let result = try await body(stream)
    await stop()
    try await running.value
    return result
  } catch {
    await stop()
    _ = await running.result
    throw error
  }
}
