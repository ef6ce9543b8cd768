// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import IBKR
import Testing

@testable import ibkr

@Suite struct ConfigurationTests {
  /// A file that is there as long as a test.
  private final class Place {
    let path = "/tmp/config-\(UInt64.random(in: 0 ... .max)).json"

    init(_ text: String, mode: mode_t = 0o600) {
      let file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
      Output.write(text, to: file)
      fchmod(file, mode)
      close(file)
    }

    deinit { unlink(path) }
  }

  private static let text = """
    {
      "//": "a comment",
      "gateway": "https://file:1/v1/api",
      "region": "asia",
      "log-level": "warning",
      "record": {
        "symbols": ["MSFT", "BRK B"], "output": "data",
        "channels": ["raw", "quote"], "strict": true, "json": false
      },
      "auth": {"setup": {"output": "keys"}},
      "variables": {"IBIND_TICKLER_INTERVAL": 30, "IBIND_SHUTDOWN_OAUTH": false,
        "IBKR_OAUTH1A_ACCESS_TOKEN_FILE": "token"}
    }
    """

  private func configured(
    _ line: String,
    _ variables: [String: String] = [:]
  ) throws -> Configured {
    let place = Place(Self.text)
    let words = line.split(separator: " ").map(String.init)
    return try Configured(words + ["--config", place.path], variables: variables)
  }

  @Test(
    arguments: [
      (
        "record", [:],
        "record --gateway https://file:1/v1/api --region asia --log-level warning MSFT BRK B "
          + "--output data --channels raw,quote --strict"
      ),
      (
        "record AAPL -o x -v", [:],
        "record --gateway https://file:1/v1/api --region asia --channels raw,quote --strict AAPL "
          + "-o x -v"
      ),
      (
        "record -f list --output=x --channels gap --simulate --region europe -q", [:],
        "record --strict -f list --output=x --channels gap --simulate --region europe -q"
      ),
      (
        "stream AAPL", ["IBIND_REST_URL": "https://env/v1/api"],
        "stream --region asia --log-level warning AAPL"
      ),
      ("auth setup", [:], "auth setup --log-level warning --output keys"),
      ("verify x", [:], "verify --log-level warning x"),
    ] as [(String, [String: String], String)]
  )
  func flagsComeBeforeVariablesAndThoseBeforeTheFile(
    _ line: String,
    _ variables: [String: String],
    _ expected: String
  ) throws {
    #expect(try configured(line, variables).arguments.joined(separator: " ") == expected)
  }

  @Test func variablesOfTheProcessComeFirst() throws {
    let variables = try configured(
      "record",
      ["IBIND_TICKLER_INTERVAL": "10", "IBIND_SHUTDOWN_OAUTH": ""]
    ).variables
    #expect(variables["IBIND_TICKLER_INTERVAL"] == "10")
    #expect(variables["IBIND_SHUTDOWN_OAUTH"] == "False")
    #expect(variables["IBKR_OAUTH1A_ACCESS_TOKEN_FILE"] == "token")
  }

  @Test(arguments: ["--help", "", "config check", "config init", "--version"])
  func whoAsksForHelpNeedsNoFile(_ line: String) throws {
    let words = line.split(separator: " ").map(String.init)
    let configured = try Configured(words, variables: ["IBKR_CONFIG": "/no/such/file"])
    #expect(configured.arguments == words)
  }

  @Test func aFileThatIsNamedHasToBeThere() {
    let error = #expect(throws: ValidationError.self) {
      try Configured(["stats", "x"], variables: ["IBKR_CONFIG": "/no/such/file"])
    }
    #expect(error?.message.contains("/no/such/file") == true)
  }

  @Test func theUsualPlacesAreTheFolderAndTheUsersOwn() {
    #expect(
      Configured.usualPaths(["HOME": "/home/me"])
        == ["ibkr.json", "/home/me/.config/ibkr/config.json"]
    )
    #expect(
      Configured.usualPaths(["HOME": "/home/me", "XDG_CONFIG_HOME": "/etc/me"])
        == ["ibkr.json", "/etc/me/ibkr/config.json"]
    )
    #expect(Configured.usualPaths([:]) == ["ibkr.json"])
  }

  /// Files that are refused, and what is said of them.
  static let refused: [(text: String, says: String)] = [
    ("", ":1: not JSON"), ("[]", ":1: not an object"), ("{\n\"a\": }", ":2: not JSON"),
    ("{\n\n\"gatewya\": 1}", ":3: gatewya means nothing: did you mean gateway?"),
    ("{\"log_level\": \"info\"}", ":1: log_level means nothing: did you mean log-level?"),
    ("{\"recrod\": {}}", ":1: recrod means nothing: did you mean record?"),
    ("{\"record\": {\n\"rotat\": \"1h\"}}", ":2: record.rotat means nothing: did you mean rotate?"),
    ("{\"record\": 1}", ":1: record is no object with options"),
    ("{\"record\": {\"strict\": \"yes\"}}", ":1: record.strict is true or false"),
    ("{\"record\": {\"output\": {}}}", ":1: record.output is a text or a number"),
    ("{\"record\": {\"symbols\": [[]]}}", ":1: record.symbols is a list"),
    ("{\"record\": {\"output\": \"--strict\"}}", ":1: record.output begins with a hyphen"),
    ("{\"record\": {\"help\": true}}", ":1: record.help means nothing"),
    ("{\"variables\": {\n\"IBIND_TICKLER_INTERVALL\": 1}}", "did you mean IBIND_TICKLER_INTERVAL?"),
    (
      "{\"variables\": {\n\"IBIND_OAUTH1A_ACCESS_TOKEN\": \"PLANTED\"}}",
      ":2: IBIND_OAUTH1A_ACCESS_TOKEN is a secret"
    ),
    ("{\"variables\": {\"HTTPS_PROXY\": \"http://me:PLANTED@proxy\"}}", "has a password in it"),
    ("{\"variables\": {\"IBIND_REST_URL\": []}}", "is a text, a number, true or false"),
  ]

  @Test(arguments: refused.indices)
  func whatNothingUnderstandsIsRefusedWithItsLine(_ index: Int) {
    let (text, says) = Self.refused[index]
    let error = #expect(throws: IbkrError.self) {
      try ConfigurationFile(path: "ibkr.json", text: text)
    }
    #expect(error?.code == .invalidConfiguration)
    let description = error?.description ?? ""
    #expect(description.hasPrefix("ibkr.json:"))
    #expect(description.contains(says), "\(description)")
    #expect(!description.contains("PLANTED"))
  }

  @Test(
    arguments: [
      ("{\"record\": {\n\"duration\": \"soon\"}}", ":2: record.duration: The value 'soon'"),
      ("{\"record\": {\n\"channels\": \"quotes\"}}", "did you mean quote?"),
      ("{\"record\": {\n\"symbols\": [\"A+B\"]}}", ":2: record.symbols: 'A+B' is neither"),
      ("{\n\"region\": \"asai\"}", ":2: region: "),
      ("{\"variables\": {\n\"IBIND_TICKLER_INTERVAL\": 0}}", ":2: IBIND_TICKLER_INTERVAL is not"),
    ]
  )
  func valuesAreTriedAsTheCommandsWould(_ text: String, _ says: String) throws {
    let file = try ConfigurationFile(path: "ibkr.json", text: text)
    let error = #expect(throws: IbkrError.self) { try file.check() }
    #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
  }

  @Test func whatInitWritesIsAccepted() throws {
    let file = try ConfigurationFile(path: "ibkr.json", text: ConfigInitCommand.example)
    try file.check()
    #expect(file.entries.count == 6)
  }

  @Test(arguments: [(0o600, true), (0o644, true), (0o664, false), (0o666, false)])
  func aFileThatOthersCanChangeIsWarnedOf(_ mode: mode_t, _ isFine: Bool) throws {
    let place = Place("{}", mode: mode)
    #expect((Configured.exposure(of: place.path) == nil) == isFine)
  }

  @Test(arguments: [
    "record", "stream", "search", "instrument show", "fields", "simulate", "auth setup",
    "auth check",
    "auth status", "auth logout", "doctor", "config init", "config check", "config show", "verify",
    "stats", "gaps", "tail", "replay",
  ])
  func everyCommandCanBeToldToBeQuiet(_ name: String) {
    let words = name.split(separator: " ").map(String.init)
    let (tree, path) = CommandTree.program.command(in: words)
    #expect(path == words)
    for key in ["quiet", "verbose", "log-level"] { #expect(tree.option(key) != nil, "\(key)") }
  }

  @Test func theTreeKnowsWhatACommandLineSets() {
    let (tree, path) = CommandTree.program.command(in: ["record", "AAPL"])
    #expect(path == ["record"])
    #expect(
      tree.keys(in: ["-o", "AAPL", "--rotate=1h", "-qv"]) == [
        "output", "rotate", "quiet", "verbose",
      ]
    )
    #expect(tree.keys(in: ["--duration", "5s", "AAPL"]) == ["duration", "symbols"])
  }
}
