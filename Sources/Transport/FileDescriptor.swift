// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// The one owner of a descriptor; it is closed with its owner.
package struct FileDescriptor: ~Copyable, Sendable {
  /// The descriptor's number, to be used while the owner lives.
  package let raw: Int32

  /// Takes over a descriptor that a system call has just returned.
  ///
  /// - Parameters:
  ///   - result: What the call returned.
  ///   - call: The call's name, for the error.
  /// - Throws: `TransportError` if the call failed.
  package init(_ result: Int32, from call: String) throws(TransportError) {
    guard result >= 0 else { throw .system(call) }
    raw = result
  }

  deinit {
    // On Linux the descriptor is gone even when close reports EINTR; trying again could close
    // another thread's new one.
    close(raw)
  }
}
