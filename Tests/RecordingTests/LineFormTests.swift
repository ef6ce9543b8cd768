// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import Recording

@Suite struct LineFormTests {
  private static func records(_ form: LineForm, _ lines: String) -> [String] {
    var lines = lines
    return lines.withUTF8 { form.records(of: UnsafeRawBufferPointer($0)) }
      .map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func valuesAreSeparatedByCommas() {
    let form = LineForm.csv(.gap)
    #expect(form.head?.starts(with: "v,run,seq,ts_recv,ts_event,gap_id,".utf8) == true)
    #expect(form.head?.suffix(2).elementsEqual("\r\n".utf8) == true)
    let line = """
      {"v":1,"run":"R","seq":7,"ts_recv":1,"ts_event":null,"gap_id":"R-1","ts_start":1,"ts_end":2,\
      "mono_start":3,"mono_end":null,"reason":"disconnect","symbols":["AAPL","BRK B"],"conids":[1,2],\
      "detected_by":"it said \\"no, no\\"","count":null,"seq_first":1,"seq_last":2,"run_prev":"",\
      "backfill":" none"}

      """
    // RFC 4180: quotes are doubled. A null is nothing, an empty text is "".
    let row =
      #"1,R,7,1,,R-1,1,2,3,,disconnect,"["#
      + #"""AAPL"",""BRK B""]","[1,2]","it said ""no, no""",,1,2,""," none""# + "\r\n"
    #expect(Self.records(form, line) == [row])
    #expect(Self.records(form, line + line).count == 2)
  }

  @Test func messagesAreThoseOfTheServer() {
    let lines = """
      {"dir":"in","op":"binary","topic":"smd+1","msg":"{\\"a\\":1}","b64":null}
      {"dir":"out","op":"text","topic":"smd+1","msg":"smd+1+{}","b64":null}
      {"dir":"self","op":"event","topic":null,"msg":"{}","b64":null}
      {"dir":"in","op":"ping","topic":null,"msg":"x","b64":null}
      {"dir":"in","op":"text","topic":null,"msg":null,"b64":"w6k="}

      """
    #expect(Self.records(.messages, lines) == ["{\"a\":1}\n", "é\n"])
    #expect(LineForm.messages.head == nil && LineForm.json.head == nil)
  }
}
