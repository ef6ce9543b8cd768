// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The order in which Java's `HashMap` iterates over its keys.
///
/// The gateway keeps the first image of an instrument in one, so its messages show this order:
/// `6509` first, `topic` in the middle. Computed rather than listed, it is right for any fields.
enum JavaKeyOrder {
  /// Sorts as a map with these keys would give them back.
  static func sorted(_ keys: [String]) -> [String] {
    var capacity: UInt32 = 16
    while keys.count * 4 > Int(capacity) * 3 { capacity *= 2 }
    // Keys of one bucket keep the order of their entry, and this sort is stable.
    return keys.enumerated()
      .map { (bucket: bucket(of: $1, capacity: capacity), offset: $0, key: $1) }
      .sorted { ($0.bucket, $0.offset) < ($1.bucket, $1.offset) }
      .map(\.key)
  }

  private static func bucket(of key: String, capacity: UInt32) -> UInt32 {
    let hash = key.utf16.reduce(UInt32(0)) { $0 &* 31 &+ UInt32($1) }
    return (hash ^ (hash >> 16)) & (capacity - 1)
  }
}
