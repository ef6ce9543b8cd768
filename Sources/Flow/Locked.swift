// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// A value that only one thread at a time can reach.
///
/// The standard library's `Mutex` would do, but on Linux ThreadSanitizer does not see it and
/// reports a race at every use; a `pthread_mutex_t` at a fixed address it does see.
///
/// Never resume a continuation or call a stranger's closure inside `withLock`.
package struct Locked<Value: Sendable>: ~Copyable, @unchecked Sendable {
  // Sendable because both pointers are private, set once, and every access to the value goes
  // through the mutex.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let value: UnsafeMutablePointer<Value>

  /// Makes a lock around a first value.
  package init(_ initial: Value) {
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
    value = .allocate(capacity: 1)
    value.initialize(to: initial)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
    value.deinitialize(count: 1)
    value.deallocate()
  }

  /// Runs a closure that alone may read and change the value.
  ///
  /// - Parameter body: What to do with the value; it must be short and must not lock again.
  /// - Returns: What the closure returns.
  /// - Throws: What the closure throws.
  package borrowing func withLock<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&value.pointee)
  }
}
