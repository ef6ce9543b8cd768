// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// Where the fields of one quote stand in their message.
///
/// The first of them have room without an allocation, which is more than a recorder asks for.
struct FieldPlaces {
  private struct Place {
    var id: UInt32 = 0
    var start: UInt32 = 0
    var count: UInt32 = 0
    var kind = JSONKind.null
  }

  private var count = 0
  private var near = InlineArray<32, Place>(repeating: Place())
  private var far: [Place] = []

  /// Adds a field.
  ///
  /// - Parameters:
  ///   - id: Its number, of at most eight digits.
  ///   - member: Where it stands.
  @inline(__always)
  mutating func append(_ id: Int, _ member: JSONMember) {
    let content = member.content
    // Messages have at most 16 MiB.
    let place = Place(
      id: UInt32(truncatingIfNeeded: id),
      start: UInt32(truncatingIfNeeded: content.lowerBound),
      count: UInt32(truncatingIfNeeded: content.count),
      kind: member.kind
    )
    if count < near.count { near[count] = place } else { far.append(place) }
    count &+= 1
  }

  /// Gives the fields in the order of the message.
  ///
  /// - Parameters:
  ///   - message: The message that they stand in.
  ///   - body: Gets the number of each, its value without quotes, and its kind in JSON.
  @inline(__always)
  func forEach(
    in message: UnsafeRawBufferPointer,
    _ body: (Int, UnsafeRawBufferPointer, JSONKind) -> Void
  ) {
    for index in 0..<count {
      let place = index < near.count ? near[index] : far[index &- near.count]
      let start = Int(place.start)
      body(
        Int(place.id),
        UnsafeRawBufferPointer(rebasing: message[start..<start &+ Int(place.count)]),
        place.kind
      )
    }
  }
}
