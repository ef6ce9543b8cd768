// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Frames that wait to be written.
struct OutputBuffer: ~Copyable {
  /// A buffer that grew beyond this for one message is given back when it is empty.
  private static let kept = 1 << 18

  private var bytes: [UInt8] = []
  private var written = 0

  var count: Int { bytes.count - written }

  var isEmpty: Bool { count == 0 }

  /// Appends a frame; the payload is masked where the header has a key (RFC 6455 section 5.3).
  mutating func append(_ header: FrameHeader, _ payload: UnsafeRawBufferPointer) {
    bytes.reserveCapacity(bytes.count + header.length + payload.count)
    header.append(to: &bytes)
    let start = bytes.count
    bytes.append(contentsOf: payload)
    guard let key = header.key else { return }
    bytes.withUnsafeMutableBytes { all in
      key.apply(to: UnsafeMutableRawBufferPointer(rebasing: all[start...]))
    }
  }

  /// Appends bytes as they are.
  mutating func append(_ unchecked: [UInt8]) { bytes += unchecked }

  func withBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try bytes.withUnsafeBufferPointer { (all) throws(E) in
      try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: all[written...])))
    }
  }

  mutating func consume(_ count: Int) {
    written += count
    if written == bytes.count {
      written = 0
      bytes.removeAll(keepingCapacity: bytes.capacity <= Self.kept)
    } else if written >= Self.kept, written >= bytes.count / 2 {
      // A sender that never pauses never empties the buffer.
      bytes.removeFirst(written)
      written = 0
    }
  }

  mutating func discard() {
    written = 0
    bytes = []
  }
}
