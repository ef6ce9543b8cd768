// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import CZlib

/// Decompresses messages (RFC 7692 section 7.2.2), in steps whose output the caller bounds.
///
/// Not `Sendable`: it belongs to one ``ConnectionMachine``.
final class Inflater {
  /// How much output one step has room for.
  static let step = 1 << 14

  /// What the sender removed from the end of each message.
  private static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]

  // On the heap: zlib keeps a pointer back to it and refuses a stream that has moved.
  private let stream: UnsafeMutablePointer<z_stream>
  private let keepsContext: Bool
  private let tailBytes: UnsafeMutablePointer<UInt8>

  /// The last step filled its space, so there may be output left without any input.
  private var isOutputPending = false
  private var isCorrupt = false

  /// Nothing of a block has been read yet, as must be the case at the end of a message.
  private var isBetweenBlocks = true

  private lazy var window = [UInt8](repeating: 0, count: 1 << 15)

  init(_ parameters: DeflateParameters, role: Role) {
    keepsContext = parameters.received(by: role).keepsContext
    tailBytes = .allocate(capacity: Self.tail.count)
    tailBytes.initialize(from: Self.tail, count: Self.tail.count)
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // Always the largest window. With a smaller one zlib refuses a reference beyond it only into the
    // output of earlier calls, so that whether a peer's breach of its `max_window_bits` is noticed
    // would depend on how the network cuts its data; 32 KiB of memory are not worth that.
    let status = czlib_inflate_init(stream, -15)
    // It fails for lack of memory only, where Swift's own allocations would trap as well.
    precondition(status == Z_OK, "inflateInit2 failed")
  }

  deinit {
    inflateEnd(stream)
    stream.deinitialize(count: 1)
    stream.deallocate()
    tailBytes.deallocate()
  }

  /// Takes the next piece of a message; it must stay in place until ``hasMore()`` is false.
  func begin(_ piece: UnsafeRawBufferPointer) {
    // zlib takes a pointer to mutable bytes and does not change them. A piece is what is in the
    // receive buffer, far below the 32 bits that zlib counts with.
    stream.pointee.next_in = UnsafeMutablePointer(
      mutating: piece.assumingMemoryBound(to: UInt8.self).baseAddress
    )
    stream.pointee.avail_in = UInt32(piece.count)
  }

  /// Takes what the sender removed from the end of the message (section 7.2.2).
  func beginTail() {
    stream.pointee.next_in = tailBytes
    stream.pointee.avail_in = UInt32(Self.tail.count)
  }

  /// Whether another step is needed for what was taken.
  ///
  /// - Throws: ``ProtocolError`` if the data cannot be inflated.
  func hasMore() throws(ProtocolError) -> Bool {
    guard !isCorrupt else {
      throw ProtocolError(.compressedData, "a compressed message that does not inflate")
    }
    return stream.pointee.avail_in > 0 || isOutputPending
  }

  /// Inflates one step.
  ///
  /// - Parameter space: Where the output goes, not empty.
  /// - Returns: How many bytes were written.
  func inflate(into space: UnsafeMutableRawBufferPointer) -> Int {
    let room = min(space.count, 1 << 30)
    stream.pointee.next_out = space.assumingMemoryBound(to: UInt8.self).baseAddress
    stream.pointee.avail_out = UInt32(room)
    let inputBefore = stream.pointee.avail_in
    let status = CZlib.inflate(stream, Z_SYNC_FLUSH)
    let written = room - Int(stream.pointee.avail_out)
    isOutputPending = stream.pointee.avail_out == 0
    isBetweenBlocks = stream.pointee.data_type & 128 != 0
    switch status {
    case Z_OK:
      break
    case Z_BUF_ERROR:
      // No progress was possible: everything has been taken, or this makes it an error.
      isCorrupt = stream.pointee.avail_in > 0 && inputBefore == stream.pointee.avail_in
    case Z_STREAM_END:
      isCorrupt = !restart()
      isOutputPending = false
      isBetweenBlocks = true
    default:
      isCorrupt = true
    }
    return written
  }

  /// After a block with BFINAL set (section 7.2.3.4) the data goes on in a new stream, whose window
  /// is the old one's.
  private func restart() -> Bool {
    var length: UInt32 = 0
    guard inflateGetDictionary(stream, &window, &length) == Z_OK,
      inflateReset(stream) == Z_OK
    else { return false }
    return length == 0 || inflateSetDictionary(stream, window, length) == Z_OK
  }

  /// Ends a message, and forgets the window where the peer does (section 7.1.1).
  ///
  /// - Throws: ``ProtocolError`` if the message ended inside a block.
  func finishMessage() throws(ProtocolError) {
    guard isBetweenBlocks else {
      throw ProtocolError(.compressedData, "a compressed message that is cut short")
    }
    if !keepsContext {
      inflateReset(stream)
    }
  }
}
