// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import Transport

/// Reads until the end of a stream.
func drain(
  _ stream: any ByteStream,
  chunk: Int = 4_096,
  deadline: Int64? = nil
) async throws(TransportError) -> (bytes: [UInt8], clean: Bool) {
  var bytes: [UInt8] = []
  while true {
    guard let (part, end) = try readSome(stream, upTo: chunk) else {
      try await stream.waitUntilReadable(deadline: deadline)
      continue
    }
    bytes += part
    if let end { return (bytes, end) }
  }
}

/// Reads at least so many bytes; fewer only if the stream ends.
func read(
  _ count: Int,
  from stream: any ByteStream,
  deadline: Int64? = nil
) async throws(TransportError) -> [UInt8] {
  var bytes: [UInt8] = []
  while bytes.count < count {
    guard let (part, end) = try readSome(stream, upTo: count - bytes.count) else {
      try await stream.waitUntilReadable(deadline: deadline)
      continue
    }
    bytes += part
    if end != nil { break }
  }
  return bytes
}

/// One read: nil if it would block, else the bytes and, at the end, whether it was clean.
func readSome(
  _ stream: any ByteStream,
  upTo count: Int
) throws(TransportError) -> (bytes: [UInt8], end: Bool?)? {
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
  defer { buffer.deallocate() }
  switch try stream.read(into: buffer) {
  case .bytes(let count): return (Array(buffer[..<count]), nil)
  case .wouldBlock: return nil
  case .end(let clean): return ([], clean)
  }
}

/// The transport error that a closure throws; nil if it throws none.
func failure(_ body: () async throws -> Void) async -> TransportError? {
  do {
    try await body()
    return nil
  } catch {
    return error as? TransportError
  }
}

/// Runs a closure on a loop of its own.
func withLoop<Result: Sendable>(
  _ name: String = "test",
  _ body: @Sendable (isolated LoopActor, EventLoop) async throws -> Result
) async throws -> Result {
  let loop = try EventLoop(name: name)
  defer { loop.stop() }
  return try await loop.run { actor in try await body(actor, loop) }
}
