// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import IBKR

@Suite struct EventBatchTests {
  private func append(_ text: String, to builder: inout EventBatchBuilder, at time: Int64) {
    Array(text.utf8).withUnsafeBytes { bytes in
      builder.append(
        bytes,
        direction: .inbound,
        kind: .binary,
        realtime: time,
        monotonic: time / 2
      ) { record in
        record.topic = .marketData
        record.conid = 265598
        record.updated = 1_777_552_110_061
        record.flags = [.utf8, .snapshot]
      }
    }
  }

  private func take(from builder: inout EventBatchBuilder) throws -> EventBatch {
    let batch = builder.take()
    return try #require(batch)
  }

  @Test func numbersEverythingInOneOrder() throws {
    var builder = EventBatchBuilder()
    builder.append(.connection(.open), realtime: 1, monotonic: 1)
    append("one", to: &builder, at: 10)
    let gap = Gap(
      id: 1,
      phase: .began,
      start: Gap.Moment(realtime: 1, monotonic: 1),
      reason: .disconnect,
      detectedBy: "end of stream",
      subscriptions: [],
      seqFirst: 2
    )
    builder.append(.gap(gap), realtime: 20, monotonic: 20)
    let first = try take(from: &builder)
    append("three", to: &builder, at: 30)
    let second = try take(from: &builder)

    #expect(first.map(\.seq) == [1, 2, 3])
    #expect(second.map(\.seq) == [4])
    let nothing = builder.take()
    #expect(nothing == nil)
    let next = builder.nextSeq
    #expect(next == 5)
    guard case .gap(let told) = first[2] else {
      Issue.record("not a gap: \(first[2])")
      return
    }
    #expect(told.stamp == Stamp(seq: 3, realtime: 20, monotonic: 20))
  }

  @Test func keepsAMessageExactly() throws {
    var builder = EventBatchBuilder()
    append("first", to: &builder, at: 8)
    append("{\"a\":1}", to: &builder, at: 10)
    let batch = try take(from: &builder)
    guard case .message(let message) = batch[1] else {
      Issue.record("not a message: \(batch[1])")
      return
    }
    #expect(message.text == "{\"a\":1}")
    #expect(message.bytes == Array("{\"a\":1}".utf8))
    #expect(message.withBytes { $0.count } == 7)
    #expect(message.tsRecv == 10)
    #expect(message.tsEvent == 1_777_552_110_061_000_000)
    #expect(message.topic == .marketData)
    #expect(message.conid == 265598)
    #expect(message.isSnapshot && message.isUTF8)
    #expect(message.kind == .binary)
  }

  @Test func slicesShareTheStorage() throws {
    var builder = EventBatchBuilder()
    for index in 0..<10 { append("message \(index)", to: &builder, at: Int64(index)) }
    let batch = try take(from: &builder)
    let slice = batch[3..<6]
    #expect(slice.map(\.seq) == [4, 5, 6])
    var texts: [String] = []
    slice.forEachRecord { _, bytes, _ in
      texts.append(bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) })
    }
    #expect(texts == ["message 3", "message 4", "message 5"])
    #expect(slice.byteCount < batch.byteCount)
    #expect(batch[4..<4].isEmpty)
    #expect(batch[4..<4].byteCount == 0)
  }

  @Test func aLossHasNoNumber() {
    let batch = EventBatch.dropped(count: 7, range: 3...9)
    guard case .dropped(let count, let range) = batch[batch.startIndex] else {
      Issue.record("not a loss")
      return
    }
    #expect(count == 7)
    #expect(range == 3...9)
    #expect(batch.first?.seq == nil)
  }

  @Test func aServerTimeBeyondTheClockIsNone() {
    var record = EventRecord(seq: 1, realtime: 0, monotonic: 0, sort: .message)
    #expect(record.tsEvent == nil)
    record.updated = .max
    #expect(record.tsEvent == nil)
    record.updated = 1
    #expect(record.tsEvent == 1_000_000)
  }
}
