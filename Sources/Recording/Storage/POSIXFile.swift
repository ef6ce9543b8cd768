// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// A file on a disk.
///
/// It owns its descriptor and closes it with its last reference.
final class POSIXFile: StorageFile {
  private let descriptor: Int32
  private let path: String

  /// Takes over a descriptor.
  ///
  /// - Parameters:
  ///   - descriptor: An open descriptor that nobody else closes.
  ///   - path: What errors call the file.
  init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close(descriptor) }

  func byteCount() throws(StorageError) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw StorageError("examine", path, number: errno)
    }
    return Int(status.st_size)
  }

  func isNamed() throws(StorageError) -> Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw StorageError("examine", path, number: errno)
    }
    return status.st_nlink > 0
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError) -> Int {
    guard !bytes.isEmpty else { return 0 }
    while true {
      let count = Glibc.write(descriptor, bytes.baseAddress, bytes.count)
      if count > 0 { return count }
      // A regular file never takes 0 of more than 0 bytes; were it so, trying on would never end.
      if count == 0 { throw StorageError("write", path, number: ENOSPC) }
      if errno != EINTR { throw StorageError("write", path, number: errno) }
    }
  }

  func read(
    into buffer: UnsafeMutableRawBufferPointer,
    at offset: Int
  ) throws(StorageError) -> Int {
    while true {
      let count = pread(descriptor, buffer.baseAddress, buffer.count, offset)
      if count >= 0 { return count }
      if errno != EINTR { throw StorageError("read", path, number: errno) }
    }
  }

  func synchronize() throws(StorageError) {
    while fdatasync(descriptor) != 0 {
      if errno != EINTR { throw StorageError("sync", path, number: errno) }
    }
  }

  func truncate(to byteCount: Int) throws(StorageError) {
    while ftruncate(descriptor, byteCount) != 0 {
      if errno != EINTR { throw StorageError("truncate", path, number: errno) }
    }
  }
}
