// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The randomness of delays: the system's, or for tests one that a seed determines (SplitMix64).
struct Jitter: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(seed: UInt64?) {
    var system = SystemRandomNumberGenerator()
    state = seed ?? system.next()
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
