// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import Testing

@testable import Recording

/// What the client has asked for by REST stands in the log as an event of its own, exact.
@Suite struct RESTAnswerLineTests {
  let run = RunID(milliseconds: 1, random: 1)

  private func lines(_ answers: [(String, FrameKind)]) throws -> [String] {
    let storage = MemoryStorage()
    let writer = try RecordingWriter(
      storage: storage,
      channels: Channel.standard,
      keepsAccounts: false,
      run: RunRecord(run: run, start: 1, tool: "test")
    )
    var replayer = EventReplayer()
    for (index, (text, kind)) in answers.enumerated() {
      let stamp = Stamp(seq: UInt64(index + 1), realtime: 7, monotonic: 8)
      Array(text.utf8).withUnsafeBytes {
        replayer.append($0, direction: .inbound, kind: kind, stamp: stamp)
      }
    }
    if let batch = replayer.take() { writer.append(batch) }
    try writer.end(at: 9)
    let report = try RecordingVerifier(storage: storage, deep: true).verify()
    #expect(report.findings == [])
    return storage.lines(under: "ch=raw")
  }

  @Test func theAnswerIsALineWithItsFeedsTopic() throws {
    let lines = try lines([
      (#"{"orders":[{"acct":"U1","orderId":1,"price":1.50}], "snapshot":true}"#, .poll),
      (#"[{"execution_id":"1","account":"U1","submitter":"somebody"}]"#, .resync),
    ])
    let head = #"{"v":1,"run":"\#(run)","seq":"#
    let time = #""ts_recv":7,"ts_event":null,"mono":8,"dir":"self","#
    #expect(
      lines == [
        head + "1," + time + #""op":"poll","topic":"sor","msg":"{\"orders\":[{\"acct\":\"acct-1\","#
          + #"\"orderId\":1,\"price\":1.50}], \"snapshot\":true}","b64":null,"redacted":true}"#,
        head + "2," + time + #""op":"resync","topic":"str","msg":"[{\"execution_id\":\"1\","#
          + #"\"account\":\"acct-1\",\"submitter\":\"<redacted>\"}]","b64":null,"redacted":true}"#,
      ]
    )
  }

  @Test func itIsReadAsTheMessageThatItWas() throws {
    let answer = #"{"orders":[{"orderId":1}],"snapshot":true}"#
    for kind in [FrameKind.poll, .resync] {
      let line = try #require(try lines([(answer, kind)]).first)
      let raw = try #require(Array(line.utf8).withUnsafeBytes { RawLine($0, of: run) })
      guard case .message(.inbound, kind, let bytes) = raw.content else {
        Issue.record("\(raw.content)")
        continue
      }
      #expect(bytes == Array(answer.utf8))
    }
  }

  @Test func anotherEventOfOurOwnStaysOne() throws {
    let line =
      #"{"v":1,"run":"\#(run)","seq":1,"ts_recv":7,"ts_event":null,"mono":8,"#
      + #""dir":"self","op":"session","topic":null,"msg":"{}","b64":null,"redacted":false}"#
    let raw = try #require(Array(line.utf8).withUnsafeBytes { RawLine($0, of: run) })
    guard case .own("session", _) = raw.content else {
      Issue.record("\(raw.content)")
      return
    }
  }
}
