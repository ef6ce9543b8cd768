// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@testable import ibkr

@Suite struct TopFrameTests {
  private static func answer(
    messages: Int,
    at second: Int64,
    subscriptions: Int = 2,
    healthy: Bool = true
  ) throws -> RecorderStatus {
    let list = (0..<subscriptions).map { index in
      #"{"topic":"smd","conid":\#(index),"symbol":"S\#(index)","exchange":null,"state":"active","#
        + #""for_s":10.0,"messages":\#(messages),"quiet_s":1.5}"#
    }
    let text = """
      {"version":"0.1.0","healthy":\(healthy),"troubles":\(healthy ? "[]" : #"["no\u001b[2J data"]"#),\
      "time":100000000000,"uptime_s":61.0,"connected":\(healthy),"session":{"phase":"ready"},\
      "messages":\(messages * subscriptions),"delay_ms":{"p50_below":50},\
      "subscriptions":[\(list.joined(separator: ","))],"gaps":{"open":\
      \(healthy ? "[]" : #"[{"reason":"silence","detected_by":"x","since":93000000000,"conids":[1,2]}]"#),\
      "closed":[{"reason":"disconnect","count":1,"seconds":7.0}]},"recorder":{"lines":12000,\
      "bytes":\(messages * 1_000),"waiting_bytes":0,"disk_free_bytes":78000000000,"failure":null},\
      "process":{"resident_bytes":34000000}}
      """
    return RecorderStatus(try JSONValue(parsing: Array(text.utf8)), at: second * 1_000_000_000)
  }

  @Test(arguments: [(60, 20), (80, 24), (200, 60)])
  func everySizeIsFilledAndNotExceeded(_ width: Int, _ height: Int) throws {
    var frame = TopFrame()
    let terminal = Terminal(width: width, height: height)
    let lines = try frame.lines(
      Self.answer(messages: 20, at: 5, subscriptions: 100),
      since: Self.answer(messages: 10, at: 0, subscriptions: 100),
      from: "http://127.0.0.1:9464",
      failure: "",
      on: terminal
    )
    .map { $0.text(on: terminal, cells: width) }
    #expect(lines.count == height)
    #expect(lines[0].hasPrefix("● HEALTHY  up 61s  session ready  100/100 sub"))
    #expect(lines.contains { $0.hasPrefix("S0 ") && $0.contains("20    2.0   1s") })
    #expect(lines.contains { $0.hasSuffix("more") })
    #expect(lines.last?.hasSuffix("q quit") == true)
  }

  @Test func aPipeGetsItWhole() throws {
    let text = try TopFrame.plain(Self.answer(messages: 10, at: 0, subscriptions: 50), since: nil)
    #expect(!text.contains("\u{1B}") && text.contains("S49 "))
    #expect(text.contains("memory 34 MB") && text.contains("disk 78 GB free"))
    #expect(text.contains("gaps  over: 1 disconnect (7s)"))
  }

  @Test func troubleIsSaidFirst() throws {
    let text = try TopFrame.plain(Self.answer(messages: 1, at: 0, healthy: false), since: nil)
    #expect(text.hasPrefix("● TROUBLE  not connected"))
    #expect(text.contains("gap  silence for 7s, 2 instruments: x"))
    // What a recorder says is not obeyed by the terminal.
    #expect(text.contains("! no?[2J data"))
  }

  @Test func anOlderRecorderSaysLess() throws {
    let status = RecorderStatus(try JSONValue(parsing: Array(#"{"subscriptions":[]}"#.utf8)), at: 0)
    #expect(TopFrame.plain(status, since: nil).contains("0/0 sub"))
  }
}
