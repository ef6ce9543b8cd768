// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import Monitoring

@Suite struct ServiceUnitTests {
  @Test(arguments: [
    (["record", "AAPL", "-o", "data"], "/usr/bin/ibkr record AAPL -o data"),
    (["record", "BRK B"], #"/usr/bin/ibkr record "BRK B""#),
    (["a\"b", "c\\d"], #"/usr/bin/ibkr "a\"b" "c\\d""#),
    (["100%", "$HOME", ""], #"/usr/bin/ibkr 100%% $$HOME """#),
    (["x;y"], #"/usr/bin/ibkr "x;y""#),
  ])
  func wordsAreQuotedForSystemd(_ arguments: [String], _ command: String) {
    let text = ServiceUnit(program: "/usr/bin/ibkr", arguments: arguments).text
    #expect(text.contains("\nExecStart=\(command)\n"))
  }

  @Test func everyLineIsASectionASettingOrAComment() {
    for line in ServiceUnit(program: "/usr/bin/ibkr", arguments: ["record"]).text
      .split(separator: "\n")
    {
      #expect(line.hasPrefix("[") || line.hasPrefix("#") || line.contains("="), "\(line)")
    }
  }
}
