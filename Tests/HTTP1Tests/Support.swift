// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import Testing

/// The code of the error that an attempt ends with, or nil if it succeeds.
func refusal<Value>(_ body: () throws -> Value) -> HTTPError.Code? {
  do {
    _ = try body()
    return nil
  } catch let error as HTTPError {
    return error.code
  } catch {
    Issue.record(error)
    return nil
  }
}

extension HeadParser {
  /// Feeds a text in pieces of one size and returns the first head and what followed it.
  static func parse(
    _ text: String,
    pieces size: Int = .max,
    limits: HTTPLimits = HTTPLimits()
  ) throws(HTTPError) -> (head: Head?, rest: String) {
    var parser = Self(limits: limits)
    let bytes = Array(text.utf8)
    var start = 0
    while start < bytes.count {
      let end = start + min(size, bytes.count - start)
      let (consumed, head) = try parser.parse(Array(bytes[start..<end]).span)
      if let head {
        return (head, String(decoding: bytes[(start + consumed)...], as: UTF8.self))
      }
      start = end
    }
    return (nil, "")
  }
}

/// A small random generator with a seed, so that a failing case can be run again.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
