// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Walks over the objects of an array in one pass, without allocating and without a tree.
///
/// It finds where they begin and end and no more, as ``JSONScanner`` does with members; whatever else
/// is in the array is passed over. An object where an array was promised is its only one, because
/// IBKR mixes them.
///
/// It holds a pointer; use it only where that pointer is valid.
package struct JSONObjects {
  private let bytes: UnsafeRawBufferPointer
  private var index = 0

  /// Starts before an array of objects, or an object.
  ///
  /// - Parameter bytes: The array, white space around it allowed.
  package init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  /// The next object, nil after the last and where the text breaks off.
  package mutating func next() -> UnsafeRawBufferPointer? {
    // Objects that count stand outside of all others, in one array at most.
    var depth = 0
    var start: Int?
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\""):
        skipString()
        continue
      case UInt8(ascii: "{"):
        if depth == 0 { start = index }
        depth += 1
      case UInt8(ascii: "["):
        if start != nil { depth += 1 }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        guard let start else { break }
        depth -= 1
        guard depth == 0 else { break }
        index += 1
        return UnsafeRawBufferPointer(rebasing: bytes[start..<index])
      default: break
      }
      index += 1
    }
    return nil
  }

  /// Moves behind the string that starts here.
  private mutating func skipString() {
    index += 1
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\""):
        index += 1
        return
      case UInt8(ascii: "\\"): index += 2
      default: index += 1
      }
    }
  }
}
