// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// A quick digest of bytes, for telling values apart inside one process.
///
/// Nothing depends on nobody being able to make two that are equal.
enum Digest {
  @inline(__always)
  static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    let state = UInt64(bytes.count)
    guard let base = bytes.baseAddress else { return mix(state) }
    // Nearly every value of a quote.
    if bytes.count <= 8 { return mix(state ^ ByteScan.word(base, count: bytes.count)) }
    return long(base, bytes.count, state)
  }

  private static func long(_ base: UnsafeRawPointer, _ count: Int, _ start: UInt64) -> UInt64 {
    var state = start
    var offset = 0
    while offset &+ 8 < count {
      state = mix(state ^ base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset &+= 8
    }
    // The last eight bytes, of which some may have been counted.
    return mix(state ^ base.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
  }

  /// The finaliser of SplitMix64.
  @inline(__always)
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
