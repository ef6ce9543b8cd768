// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL

/// OpenSSL's byte queue in memory, for its readers and writers of PEM.
struct MemoryBIO: ~Copyable {
  let pointer: OpaquePointer

  /// An empty queue.
  init() throws(CryptoError) {
    ERR_clear_error()
    guard let pointer = BIO_new(BIO_s_mem()) else { throw .drainingQueue("memory buffer") }
    self.pointer = pointer
  }

  deinit { BIO_free(pointer) }

  /// Adds the text's UTF-8 bytes.
  func write(_ text: String) throws(CryptoError) {
    var text = text
    let written = text.withUTF8 { bytes in
      // BIO_write with nothing to write is an error, and an empty queue is what is wanted.
      bytes.isEmpty ? 0 : BIO_write(pointer, bytes.baseAddress, Int32(clamping: bytes.count))
    }
    guard Int(written) == text.utf8.count else { throw .drainingQueue("memory buffer") }
  }

  /// Takes all that was written.
  func contents() -> String {
    let count = BIO_ctrl_pending(pointer)
    return String(unsafeUninitializedCapacity: count) { buffer in
      max(0, Int(BIO_read(pointer, buffer.baseAddress, Int32(clamping: count))))
    }
  }
}
