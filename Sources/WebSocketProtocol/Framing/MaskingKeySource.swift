// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Where masking keys come from.
///
/// "The masking key needs to be unpredictable; thus, the masking key MUST be derived from a strong
/// source of entropy" (RFC 6455 section 5.3): by default the kernel's, through
/// `SystemRandomNumberGenerator`. A key is used for one frame only.
package struct MaskingKeySource: Sendable {
  private var random: any RandomNumberGenerator & Sendable
  private var spare: UInt32?

  /// Makes a source.
  ///
  /// - Parameter random: A generator that nobody can predict; tests give a seeded one.
  package init(_ random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()) {
    self.random = random
  }

  /// A fresh key.
  package mutating func next() -> MaskingKey {
    if let spare {
      self.spare = nil
      return MaskingKey(bits: spare)
    }
    // 64 bits serve for two keys.
    let number = random.next()
    spare = UInt32(truncatingIfNeeded: number >> 32)
    return MaskingKey(bits: UInt32(truncatingIfNeeded: number))
  }
}
