// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Tells the image that a subscription begins with from the market events after it.
///
/// Every request gets a new `server_id`; the first messages under it are an image. The gateway sends
/// it twice with one `_updated` (protocol reference 4.9), and sometimes first only the availability,
/// then the prices: so the image lasts until a value has come, and as long as `_updated` stays.
struct SnapshotRule: Sendable {
  private var request: UInt64 = 0
  private var imageUpdated = Int64.min
  private var hasValue = false

  /// Looks at the next message of one subscription.
  ///
  /// - Parameters:
  ///   - request: A digest of the message's `server_id`, 0 if it has none.
  ///   - updated: Its `_updated`.
  ///   - carriesValue: Whether it has a field with a number in it.
  /// - Returns: Whether the message belongs to an image, and whether a new request's.
  mutating func observe(
    request: UInt64,
    updated: Int64,
    carriesValue: Bool
  ) -> (isSnapshot: Bool, isNew: Bool) {
    let isNew = request != 0 && request != self.request
    if isNew {
      self.request = request
      imageUpdated = updated
      hasValue = false
    } else if !hasValue {
      imageUpdated = updated
    }
    defer { hasValue = hasValue || carriesValue }
    return (isNew || !hasValue || updated == imageUpdated, isNew)
  }

  /// The connection is new: what comes next is an image, whatever its `server_id`.
  mutating func reset() {
    self = SnapshotRule()
  }
}
