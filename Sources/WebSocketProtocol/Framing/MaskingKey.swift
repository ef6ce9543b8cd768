// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The 32-bit key that a client's frame is masked with (RFC 6455 section 5.3).
package struct MaskingKey: Equatable, Sendable {
  /// The four bytes, the first one lowest.
  package let bits: UInt32

  package init(bits: UInt32) {
    self.bits = bits
  }

  /// Masks or unmasks, which is the same: `transformed[i] = original[i] XOR key[i MOD 4]`.
  ///
  /// Eight bytes at a time; with the key rotated, a payload may be handed over in any pieces.
  ///
  /// - Parameters:
  ///   - bytes: A piece of the payload, changed in place.
  ///   - offset: Where in the payload the piece begins.
  package func apply(to bytes: UnsafeMutableRawBufferPointer, offset: Int = 0) {
    guard let base = bytes.baseAddress else { return }
    let turn = UInt32(truncatingIfNeeded: offset & 3) * 8
    let half = turn == 0 ? bits : bits >> turn | bits << (32 - turn)
    let word = UInt64(half) | UInt64(half) << 32
    var index = 0
    while index + 8 <= bytes.count {
      let masked = base.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ word.littleEndian
      base.storeBytes(of: masked, toByteOffset: index, as: UInt64.self)
      index += 8
    }
    while index < bytes.count {
      bytes[index] ^= UInt8(truncatingIfNeeded: word >> UInt64((index & 7) * 8))
      index += 1
    }
  }
}
