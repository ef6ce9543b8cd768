// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// What libFuzzer calls with every input: hands it to the target that FUZZ_TARGET names.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  target(Input(Array(UnsafeBufferPointer(start: data, count: count))))
  return 0
}

private let target: @Sendable (Input) -> Void = {
  switch getenv("FUZZ_TARGET").map({ String(cString: $0) }) {
  case "frames": fuzzFrames
  case "inflate": fuzzInflate
  case "client-handshake": fuzzClientHandshake
  case "server-handshake": fuzzServerHandshake
  case "http-response": fuzzHTTPResponse
  case "utf8": fuzzUTF8
  case "json": fuzzJSON
  case "message": fuzzMessage
  default: fatalError("FUZZ_TARGET names no target")
  }
}()

/// An input of the fuzzer: the first byte chooses among a target's variants, the second how the rest
/// is cut into pieces.
struct Input: Sendable {
  let bytes: [UInt8]
  let variant: UInt8
  private let seed: UInt8

  init(_ all: [UInt8]) {
    variant = all.first ?? 0
    seed = all.dropFirst().first ?? 0
    bytes = Array(all.dropFirst(2))
  }

  func has(_ bit: UInt8) -> Bool { variant & (1 << bit) != 0 }

  /// Lengths of pieces: all in one, byte by byte, or mixed.
  var pieces: [Int] {
    guard seed > 0 else { return [] }
    var state = UInt32(seed)
    return bytes.map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return 1 + Int(state >> 24) % Int(seed)
    }
  }

  /// Calls the closure with one piece after the other until it says false.
  func forEachPiece(_ body: (ArraySlice<UInt8>) -> Bool) {
    var start = 0
    var lengths = pieces.makeIterator()
    while start < bytes.count {
      let end = min(bytes.count, start + (lengths.next() ?? bytes.count))
      guard body(bytes[start..<end]) else { return }
      start = end
    }
  }
}

/// Ends the process, which the fuzzer takes for a finding.
func require(_ condition: Bool, _ text: @autoclosure () -> String) {
  if !condition { fatalError(text()) }
}
