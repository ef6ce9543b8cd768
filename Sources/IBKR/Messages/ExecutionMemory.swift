// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// Remembers which executions have been told, so that what tells them again can be marked.
///
/// It keeps digests of their ids, and of those a bounded number: the server replays seven days at
/// most. A new execution is taken for an old one with a chance of one in 10^14.
package struct ExecutionMemory: Sendable {
  /// How many executions are remembered: 1.5 MB at most.
  package static let capacity = 65_536

  private let capacity: Int
  private var known: Set<UInt64> = []
  /// The same in the order in which they came, from ``oldest`` on.
  private var order: [UInt64] = []
  private var oldest = 0

  /// Remembers nothing yet.
  ///
  /// - Parameter capacity: How many executions are remembered.
  package init(capacity: Int = Self.capacity) {
    self.capacity = capacity
  }

  /// Notes an execution.
  ///
  /// - Parameter id: What the server calls it.
  /// - Returns: Whether it has been told before.
  package mutating func note(id: String) -> Bool {
    var id = id
    return id.withUTF8 { !insert(Digest.of(UnsafeRawBufferPointer($0))) }
  }

  /// Notes the executions of a list.
  ///
  /// - Parameter list: An array of objects, or one object.
  /// - Returns: For each object whether its execution has been told before; one without an id is new.
  mutating func note(_ list: UnsafeRawBufferPointer) -> [Bool] {
    var executions = JSONObjects(list)
    var marks: [Bool] = []
    while let execution = executions.next() { marks.append(note(execution: execution)) }
    return marks
  }

  private mutating func note(execution: UnsafeRawBufferPointer) -> Bool {
    var scanner = JSONScanner(execution)
    var identity: UInt64?
    while let member = scanner.nextMember() {
      guard member.key.count == Self.name.utf8CodeUnitCount,
        scanner.bytes(member.name).elementsEqual(UnsafeBufferPointer(Self.name))
      else { continue }
      identity = Digest.of(scanner.bytes(member.content))
    }
    guard let identity else { return false }
    return !insert(identity)
  }

  /// Whether it is new.
  private mutating func insert(_ identity: UInt64) -> Bool {
    guard known.insert(identity).inserted else { return false }
    if order.count < capacity {
      order.append(identity)
    } else {
      known.remove(order[oldest])
      order[oldest] = identity
      oldest = (oldest + 1) % capacity
    }
    return true
  }

  private static let name: StaticString = "execution_id"
}

extension UnsafeBufferPointer<UInt8> {
  fileprivate init(_ text: StaticString) {
    self.init(start: text.utf8Start, count: text.utf8CodeUnitCount)
  }
}
