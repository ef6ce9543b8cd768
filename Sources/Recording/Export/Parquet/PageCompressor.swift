// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

internal import CZlib

/// Compresses pages as gzip (RFC 1952), which every reader of Parquet takes.
final class PageCompressor {
  // zlib keeps the address of its stream and compares it, so the stream has to stay in place.
  private let stream: UnsafeMutablePointer<z_stream>

  /// Prepares; one stream does all pages.
  ///
  /// - Throws: `StorageError` if zlib has no memory.
  init() throws(StorageError) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard czlib_deflate_init(stream, Z_DEFAULT_COMPRESSION, MAX_WBITS + 16, 8) == Z_OK else {
      throw StorageError("compress", "a page", reason: "zlib has no memory")
    }
  }

  deinit {
    deflateEnd(stream)
    stream.deinitialize(count: 1)
    stream.deallocate()
  }

  /// Compresses a page.
  ///
  /// - Parameters:
  ///   - bytes: The page.
  ///   - output: Where to append it.
  /// - Throws: `StorageError` if zlib refuses.
  func append(
    _ bytes: borrowing LineBuffer,
    to output: inout LineBuffer
  ) throws(StorageError) {
    guard let count = UInt32(exactly: bytes.count) else {
      throw StorageError("compress", "a page", reason: "it is too long")
    }
    deflateReset(stream)
    let bound = Int(deflateBound(stream, UInt(count)))
    var result = Z_STREAM_ERROR
    bytes.withBytes { input in
      output.append(atMost: bound) { room in
        stream.pointee.next_in = UnsafeMutablePointer(
          mutating: input.bindMemory(to: UInt8.self).baseAddress
        )
        stream.pointee.avail_in = count
        stream.pointee.next_out = room
        stream.pointee.avail_out = UInt32(clamping: bound)
        // With room for the worst case one call does it all.
        result = deflate(stream, Z_FINISH)
        stream.pointee.next_in = nil
        return bound - Int(stream.pointee.avail_out)
      }
    }
    guard result == Z_STREAM_END else {
      throw StorageError("compress", "a page", reason: "zlib says \(result)")
    }
  }

  /// The CRC-32 of a page.
  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(
      truncatingIfNeeded: crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count)
    )
  }
}
