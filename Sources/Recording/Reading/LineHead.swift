// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc
import JSON

/// What the first columns of a line say: whose it is, its number and its time.
struct LineHead {
  /// The number in the run.
  let seq: UInt64
  /// `ts_recv`: nanoseconds since 1970.
  let realtime: Int64

  /// Looks at a line; nothing comes of one that does not begin with the columns that every line of a
  /// run has.
  ///
  /// - Parameters:
  ///   - line: The line.
  ///   - run: The run that it should be of.
  init?(_ line: UnsafeRawBufferPointer, of run: RunID) {
    var scanner = JSONScanner(line)
    guard let version = scanner.nextMember(), version.key == Self.version,
      scanner.integer(version) == 1, let name = scanner.nextMember(), name.key == Self.run,
      name.kind == .string, run.isSpelled(scanner.bytes(name.content)),
      let number = scanner.nextMember(), number.key == Self.seq,
      let seq = scanner.integer(number).flatMap(UInt64.init(exactly:)),
      let time = scanner.nextMember(), time.key == Self.time,
      let realtime = scanner.time(time)
    else { return nil }
    self.seq = seq
    self.realtime = realtime
  }

  private static let version = JSONKey("v")
  private static let run = JSONKey("run")
  private static let seq = JSONKey("seq")
  private static let time = JSONKey("ts_recv")
}

extension UnsafeRawBufferPointer {
  /// Whether the bytes are the same as others, which are as many.
  func elementsMatch(_ other: UnsafeRawBufferPointer) -> Bool {
    guard count == other.count else { return false }
    guard let first = baseAddress, let second = other.baseAddress else { return true }
    return memcmp(first, second, count) == 0
  }
}

extension JSONScanner {
  /// A point in time in nanoseconds since 1970, whichever ``TimeFormat`` it is written in.
  func time(_ member: JSONMember) -> Int64? {
    member.kind == .string
      ? UTCTime(bytes(member.content))?.realtime : integer(member)
  }
}
