// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What is wrong with the REST side for a while, each until a time of the monotonic clock.
struct Troubles: Sendable {
  /// Every request is answered 410.
  var goneUntil = Int64.min
  /// Every request is answered 429.
  var busyUntil = Int64.min
  /// The `Retry-After` of those answers in seconds.
  var retryAfter: Int64?
  /// Every request is answered 401.
  var loggedOutUntil = Int64.min
  /// A `tickle` is not answered.
  var ticklesLostUntil = Int64.min
  /// What is wrong with history, and until when.
  var historyTrouble: HistoryTrouble?
  var historyUntil = Int64.min
  /// The instruments whose history has been asked for.
  var warm: Set<Int> = []
  /// The brokerage session cannot be opened.
  var maintenanceUntil = Int64.min

  /// The answer of the server's edge, before it looks at who asks; nil to let a request in.
  func refusal(at time: Int64) -> GatewayResponse? {
    if time < busyUntil { return .tooManyRequests(retryAfter: retryAfter) }
    if time < goneUntil { return .gone }
    if time < loggedOutUntil { return .unauthorized }
    return nil
  }
}
