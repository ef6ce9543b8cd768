// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import WebSocketProtocol

@Suite("Batches")
struct MessageBatchTests {
  static func batches(of bytes: [UInt8], machine: inout ConnectionMachine) throws -> [MessageBatch]
  {
    var batches: [MessageBatch] = []
    var start = 0
    while start < bytes.count {
      start += machine.receive(bytes[start...])
      while let batch = try machine.takeBatch() { batches.append(batch) }
    }
    return batches
  }

  @Test("A batch keeps its bytes while the connection goes on")
  func independence() throws {
    var machine = ConnectionMachine(role: .client)
    let messages = (0..<3000).map { "message \($0) " + String(repeating: "x", count: 280) }
    let bytes = messages.map { WireFrame.text($0) }.bytes(to: .client)
    let batches = try Self.batches(of: bytes, machine: &machine)
    #expect(batches.count > 5)
    let texts = batches.flatMap { batch in (0..<batch.count).map { batch.text(of: $0) } }
    #expect(texts == messages)
  }

  @Test("Blocks are used again once their batches are gone")
  func reuse() throws {
    var machine = ConnectionMachine(role: .client)
    let message = [WireFrame](repeating: .text(String(repeating: "x", count: 290)), count: 450)
    var blocks: Set<UnsafeRawPointer?> = []
    for _ in 0..<50 {
      let batches = try Self.batches(of: message.bytes(to: .client), machine: &machine)
      for batch in batches where batch.count > 300 { blocks.insert(batch.received) }
    }
    #expect(blocks.count <= 2)
  }

  @Test("A batch of few messages holds no more memory than they need")
  func sparse() throws {
    var machine = ConnectionMachine(role: .client)
    var addresses: Set<UnsafeRawPointer?> = []
    var kept: [MessageBatch] = []
    for number in 0..<100 {
      let frames = [WireFrame.text("one \(number)"), .ping(), .text(""), .binary([1, 2])]
      let batches = try Self.batches(of: frames.bytes(to: .client), machine: &machine)
      #expect(batches.count == 1)
      kept += batches
    }
    for (number, batch) in kept.enumerated() {
      #expect(batch.text(of: 0) == "one \(number)")
      #expect(batch.bytes(of: 1) == [])
      #expect(batch.text(of: 2) == "")
      #expect(batch.bytes(of: 3) == [1, 2])
      #expect(batch.byteCount == batch.text(of: 0).utf8.count + 2)
      addresses.insert(batch.received)
    }
    #expect(addresses.count == kept.count)
  }

  @Test("Assembled messages stay valid, and an unfinished one is not lost")
  func assembled() throws {
    var machine = ConnectionMachine(role: .client)
    var kept: [MessageBatch] = []
    for number in 0..<50 {
      let frames = [
        WireFrame.text("begin \(number)", fin: false), .continuation(" end"),
        .text("open \(number)", fin: false),
      ]
      kept += try Self.batches(of: frames.bytes(to: .client), machine: &machine)
      let rest = [WireFrame.ping(), .continuation(" closed")]
      kept += try Self.batches(of: rest.bytes(to: .client), machine: &machine)
    }
    let texts = kept.flatMap { batch in
      (0..<batch.count).filter { batch[$0].kind == .text }.map { batch.text(of: $0) }
    }
    #expect(texts == (0..<50).flatMap { ["begin \($0) end", "open \($0) closed"] })
  }

  @Test("A batch can be read on other threads")
  func threads() async throws {
    var machine = ConnectionMachine(role: .client)
    let bytes = [WireFrame](repeating: .text("hello"), count: 50).bytes(to: .client)
    for batch in try Self.batches(of: bytes, machine: &machine) {
      await withTaskGroup(of: Int.self) { group in
        for _ in 0..<4 {
          group.addTask {
            (0..<batch.count).reduce(0) { $0 + batch.bytes(of: $1).count }
          }
        }
        for await count in group { #expect(count == 250) }
      }
    }
  }
}
