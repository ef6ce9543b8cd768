// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import CZlib

/// Compresses messages (RFC 7692 section 7.2.1).
///
/// Not `Sendable`: it belongs to one ``ConnectionMachine``.
final class Deflater {
  private static let chunk = 1 << 14

  // On the heap: zlib keeps a pointer back to it and refuses a stream that has moved.
  private let stream: UnsafeMutablePointer<z_stream>
  private let keepsContext: Bool
  private var scratch = [UInt8](repeating: 0, count: Deflater.chunk)

  init(_ parameters: DeflateParameters, role: Role) {
    let direction = parameters.sent(by: role)
    keepsContext = direction.keepsContext
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // zlib cannot make a raw stream with a window of 256 bytes. One of 512 does: deflate never looks
    // further back than its window less 262 bytes (MIN_LOOKAHEAD), which here is 250.
    let status = czlib_deflate_init(
      stream,
      Z_DEFAULT_COMPRESSION,
      -Int32(max(9, direction.windowBits)),
      8
    )
    // It fails for lack of memory only, where Swift's own allocations would trap as well.
    precondition(status == Z_OK, "deflateInit2 failed")
  }

  deinit {
    deflateEnd(stream)
    stream.deinitialize(count: 1)
    stream.deallocate()
  }

  /// Compresses a whole message.
  ///
  /// - Parameter message: The payload.
  /// - Returns: What goes into its frames: without the 4 bytes 00 00 FF FF that end every flush.
  func compress(_ message: UnsafeRawBufferPointer) -> [UInt8] {
    // Section 7.2.3.6; zlib would write nothing at all for a second flush without input.
    guard !message.isEmpty else { return [0] }
    var compressed: [UInt8] = []
    compressed.reserveCapacity(message.count / 4 + 64)
    // zlib takes a pointer to mutable bytes and does not change them. Lengths are 32 bits there.
    stream.pointee.next_in = UnsafeMutablePointer(
      mutating: message.assumingMemoryBound(to: UInt8.self).baseAddress
    )
    var left = message.count
    repeat {
      let piece = min(left, 1 << 30)
      left -= piece
      stream.pointee.avail_in = UInt32(piece)
      run(left == 0 ? Z_SYNC_FLUSH : Z_NO_FLUSH, into: &compressed)
    } while left > 0
    compressed.removeLast(4)
    if !keepsContext {
      deflateReset(stream)
    }
    return compressed
  }

  private func run(_ flush: Int32, into compressed: inout [UInt8]) {
    scratch.withUnsafeMutableBufferPointer { space in
      repeat {
        stream.pointee.next_out = space.baseAddress
        stream.pointee.avail_out = UInt32(space.count)
        deflate(stream, flush)
        compressed.append(contentsOf: space[..<(space.count - Int(stream.pointee.avail_out))])
      } while stream.pointee.avail_out == 0
    }
  }
}
