// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@testable import IBKR

/// Executions that are told again are known by it (protocol reference 4.12).
@Suite struct ExecutionMemoryTests {
  private func execution(_ id: Int, _ more: String = "") -> String {
    #"{"execution_id":"0001.\#(id)","symbol":"LRCX","size":2.0\#(more)}"#
  }

  private func message(_ executions: String...) -> String {
    #"{"topic":"str","args":[\#(executions.joined(separator: ","))]}"#
  }

  /// What the I/O thread makes of messages, and of answers by REST, which are lists.
  private func events(_ texts: [String]) throws -> [Message] {
    var replayer = EventReplayer()
    for (index, text) in texts.enumerated() {
      let stamp = Stamp(seq: UInt64(index + 1), realtime: 1, monotonic: 1)
      Array(text.utf8).withUnsafeBytes {
        let kind = text.hasPrefix("[") ? FrameKind.resync : .binary
        replayer.append($0, direction: .inbound, kind: kind, stamp: stamp)
      }
    }
    let batch = replayer.take()
    return try #require(batch).compactMap {
      if case .message(let message) = $0 { message } else { nil }
    }
  }

  @Test func theReplayOfTheReferenceIsMarked() throws {
    // Each comes without and with its commission, and with two targets (4.12).
    let first = [
      message(),
      message(execution(1)),
      message(execution(1, #","commission":"1.0""#)),
      message(execution(2, #","conidEx":"266093""#)),
      message(execution(2, #","conidEx":"266093@DARK""#)),
    ]
    let events = try events(first + first)
    #expect(
      events.map(\.isDuplicate) == [
        false, false, true, false, true, false, true, true, true, true,
      ]
    )
    // They are handed on as they came, and merge.
    #expect(events.map(\.text) == first + first)
    var merged = try #require(events[1].trades?.executions.first)
    let later = try #require(events[2].trades?.executions.first)
    #expect(!merged.isDuplicate && later.isDuplicate)
    merged.merge(later)
    #expect(merged.commission?.description == "1.0" && !merged.isDuplicate)
  }

  @Test func ofAnAnswerByRESTEachExecutionIsMarked() throws {
    let answer = "[\(execution(1)),\(execution(2)),\(execution(3))]"
    let events = try events([message(execution(2)), answer, answer])
    #expect(events.map(\.isDuplicate) == [false, false, true])
    #expect(events.map(\.kind) == [.binary, .resync, .resync])
    let told = try events.map { try #require($0.trades).executions.map(\.isDuplicate) }
    #expect(told == [[false], [false, true, false], [true, true, true]])
  }

  @Test func aFilteredBatchKeepsTheMarks() throws {
    var replayer = EventReplayer()
    let texts = [
      #"{"topic":"system","hb":1}"#, message(execution(1)), #"{"topic":"system","hb":2}"#,
      message(execution(1), execution(2)), message(execution(3), execution(2)),
    ]
    for (index, text) in texts.enumerated() {
      let stamp = Stamp(seq: UInt64(index + 1), realtime: 1, monotonic: 1)
      Array(text.utf8).withUnsafeBytes {
        replayer.append($0, direction: .inbound, kind: .text, stamp: stamp)
      }
    }
    let taken = replayer.take()
    let batch = try #require(taken)
    let trades = try #require(EventFilter.messages([.trades]).apply(to: batch))
    let marks = trades.dropFirst().compactMap { event -> [Bool]? in
      guard case .message(let message) = event else { return nil }
      return message.trades?.executions.map(\.isDuplicate)
    }
    #expect(marks == [[true, false], [false, true]])
  }

  @Test(arguments: [
    // No id, no execution, no list: nothing that could be known again.
    #"{"topic":"str","args":[{"symbol":"A"}]}"#, #"{"topic":"str","args":[]}"#,
    #"{"topic":"str"}"#, #"{"topic":"str","args":"none"}"#, #"{"topic":"str","args":[1,2]}"#,
    #"{"topic":"str","error":"no","args":[{"execution_id":"1"}]}"#,
  ])
  func whatHasNoIdIsNeverADuplicate(_ text: String) throws {
    #expect(try events([text, text]).map(\.isDuplicate) == [false, false])
  }

  @Test func theMemoryIsBounded() {
    var memory = ExecutionMemory(capacity: 100)
    func note(_ id: Int) -> [Bool] {
      Array("[\(execution(id))]".utf8).withUnsafeBytes { memory.note($0) }
    }
    for id in 0..<1_000 { #expect(note(id) == [false]) }
    for id in 900..<1_000 { #expect(note(id) == [true], "\(id)") }
    #expect(note(899) == [false])
    #expect(note(900) == [false])
    #expect(note(902) == [true])
  }
}
