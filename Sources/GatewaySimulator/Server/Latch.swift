// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Lets one task of an actor wait for others of the same actor.
///
/// Not thread-safe on purpose: it lives in an actor.
struct Latch {
  private var isSet = false
  private var waiter: CheckedContinuation<Void, Never>?

  /// Lets the waiting task go on, or the next one that comes.
  mutating func open() {
    isSet = true
    waiter?.resume()
    waiter = nil
  }

  /// Closes the latch again, if it was open.
  ///
  /// - Returns: Whether it was, so that there is no need to wait.
  mutating func pass() -> Bool {
    defer { isSet = false }
    return isSet
  }

  /// Keeps the task that waits.
  mutating func park(_ continuation: CheckedContinuation<Void, Never>) {
    if isSet {
      continuation.resume()
    } else {
      waiter = continuation
    }
  }
}
