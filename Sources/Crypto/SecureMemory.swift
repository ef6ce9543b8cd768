// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL

/// Handling of bytes that must neither stay behind in memory nor leak through timing.
package enum SecureMemory {
  /// Overwrites `buffer` with zeros by a call that the optimiser may not remove.
  package static func wipe(_ buffer: UnsafeMutableRawBufferPointer) {
    guard let base = buffer.baseAddress else { return }
    OPENSSL_cleanse(base, buffer.count)
  }

  /// Overwrites the array's elements with zeros and empties it.
  ///
  /// Reaches this array's own storage only: a copy made earlier keeps its bytes.
  package static func wipe(_ bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBytes { wipe($0) }
    bytes.removeAll()
  }

  /// Compares in a time that depends on the lengths and not on the contents.
  package static func areEqual(
    _ first: UnsafeRawBufferPointer,
    _ second: UnsafeRawBufferPointer
  ) -> Bool {
    guard first.count == second.count else { return false }
    guard let a = first.baseAddress, let b = second.baseAddress else { return true }
    return CRYPTO_memcmp(a, b, first.count) == 0
  }

  /// Compares in a time that depends on the lengths and not on the contents.
  package static func areEqual(_ first: [UInt8], _ second: [UInt8]) -> Bool {
    first.withUnsafeBytes { a in second.withUnsafeBytes { b in areEqual(a, b) } }
  }
}
