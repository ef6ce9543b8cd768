// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import HTTPTunnel
import IBKR
import Logging
import Recording
import Testing

@testable import ibkr

@Suite struct ParsingTests {
  @Test(arguments: [
    ("60s", Duration.seconds(60)), ("1", .seconds(1)), ("500ms", .milliseconds(500)),
    ("1.5m", .seconds(90)), ("15min", .seconds(900)), ("8h", .seconds(28_800)),
    ("2d", .seconds(172_800)),
  ])
  func durations(_ text: String, _ expected: Duration) {
    #expect(TimeSpan(argument: text)?.duration == expected)
  }

  @Test(arguments: ["", "s", "soon", "-1s", "0", "0s", "1e9s", "1x", "nan", "99999999999d", "1 s"])
  func durationsThatAreNone(_ text: String) {
    #expect(TimeSpan(argument: text) == nil)
  }

  @Test(
    arguments: [
      ("AAPL", "AAPL", nil), ("265598", "265598", nil), ("AAPL@ARCA", "AAPL", "ARCA"),
      ("EUR.USD", "EUR.USD", nil),
    ] as [(String, String, String?)]
  )
  func instruments(_ text: String, _ symbol: String, _ exchange: String?) throws {
    let name = try InstrumentOptions.names(in: text, of: "a list").first
    #expect(name?.symbol == symbol)
    #expect(name?.exchange == exchange)
    #expect(name?.description == text)
  }

  @Test func aListOfSymbolsHasCommentsAndEmptyLines() throws {
    let list =
      "# mine\r\nAAPL   # Apple\n\n  eur.usd\n\t\nBRK B\nAAPL  261218C00250000\n265598@ARCA"
    #expect(
      try InstrumentOptions.names(in: list, of: "a list").map(\.description)
        == ["AAPL", "EUR.USD", "BRK B", "AAPL261218C00250000", "265598@ARCA"]
    )
  }

  @Test func aListOfSymbolsSaysWhereSomethingElseStands() {
    let error = #expect(throws: ValidationError.self) {
      try InstrumentOptions.names(in: "AAPL\n\nAAPL MSFT\n", of: "watchlist.txt")
    }
    let message = error.map { IBKRCommand.message(for: $0) } ?? ""
    #expect(message.hasPrefix("watchlist.txt, line 3: 'AAPL MSFT' is neither a symbol nor a conid"))
  }

  @Test func channels() throws {
    #expect(try ChannelList("raw,gap").channels == [.raw, .gap])
    for text in ["raw,,gap", "ticks", "", "quotes"] {
      #expect(throws: UnknownWord.self) { try ChannelList(text) }
    }
    #expect(throws: UnknownWord.self) { try FeedList("raw") }
  }

  @Test func fields() throws {
    #expect(try FieldList("31,84,31").fields.map(\.id) == [31, 84])
    #expect(try FieldList("bid_price").fields.map(\.id) == [84])
    for text in ["bid_prize", "", "31,"] {
      #expect(throws: UnknownWord.self) { try FieldList(text) }
    }
  }

  /// Command lines that must be refused, and a word of the refusal.
  static let refused: [(arguments: [String], word: String)] = [
    (["record", "AAPL", "-o", "x", "--oauth", "--gateway", "https://h/v1/api"], "choose one"),
    (["record", "-o", "d"], "symbol"),
    (["record", "AAPL"], "-o"),
    (["record", "A+B", "-o", "d"], "A+B"),
    (["record", "AAPL", "-o", "d", "--no-such"], "--no-such"),
    (["record", "AAPL", "-o", "d", "--duration", "soon"], "duration"),
    (["record", "AAPL", "-o", "d", "-c", "0"], "count"),
    (["record", "AAPL", "-o", "d", "--channels", "ticks"], "channels"),
    (["record", "AAPL", "-o", "d", "--simulate", "--gateway", "https://x"], "--simulate"),
    (["record", "AAPL", "-o", "d", "--simulate", "--insecure"], "--simulate"),
    (["record", "AAPL", "-o", "d", "--pin", "sha256/x"], "pin"),
    (["record", "AAPL", "-o", "d", "--ca", "/no/such.pem"], "/no/such.pem"),
    (["record", "AAPL", "-o", "d", "--ca", "/dev/null", "--insecure"], "--ca"),
    (["record", "AAPL", "-o", "d", "-q", "-v"], "--quiet"),
    (["record", "AAPL", "-o", "d", "--log-level", "loud"], "log-level"),
    (["record", "AAPL", "-o", "d", "--fsync", "often"], "fsync"),
    (["stream"], "symbol"),
    (["stream", "AAPL", "--fields", "bogus"], "fields"),
    (["stream", "AAPL", "--csv", "--json"], "choose one"),
    (["stream", "AAPL", "--csv", "--channels", "quote,gap"], "one channel"),
    (["stream", "AAPL", "--raw", "--channels", "quote"], "--channels"),
    (["stream", "AAPL", "--table", "--feeds", "order"], "--table"),
    (["stream", "AAPL", "--until", "noon"], "until"),
    (["record", "AAPL", "-o", "d", "--until", "25:00"], "until"),
    (["top", "--url", "ftp://127.0.0.1"], "ftp://127.0.0.1"),
    (["top", "--url", "http://127.0.0.1:99999"], "--metrics"),
    (["simulate", "--port", "70000"], "port"),
    (["simulate", "--rate", "0"], "rate"),
    (["simulate", "--scenario", "sunshine"], "sunshine"),
    (["simulate", "--scenario", "/dev"], "/dev"),
    (["simulate", "--oauth"], "--credentials-out"),
    (["simulate", "--credentials-out", "keys"], "--oauth"),
    (["fly"], "fly"),
  ]

  @Test(arguments: refused.indices)
  func refusalsSayWhatIsWrong(_ index: Int) {
    let (arguments, word) = Self.refused[index]
    do {
      _ = try IBKRCommand.parseAsRoot(arguments)
      Issue.record("\(arguments) was accepted")
    } catch {
      #expect(ExitStatus(error) == .usage)
      let message = IBKRCommand.fullMessage(for: error)
      #expect(message.contains(word), "\(message)")
      #expect(message.hasPrefix("Error: "))
    }
  }

  @Test func recordTakesItsOptions() throws {
    let arguments = [
      "record", "AAPL", "265598@ARCA", "AAPL", "-o", "data", "--channels", "raw", "--duration",
      "15m", "-c", "7", "--fsync", "batch", "--account-ids", "keep", "--insecure", "--wait",
      "--log-level", "error", "--strict", "--json",
    ]
    let command = try #require(IBKRCommand.parseAsRoot(arguments) as? RecordCommand)
    #expect(try command.instruments.names().map(\.description) == ["AAPL", "265598@ARCA"])
    #expect(command.limits.duration?.duration == .seconds(900))
    #expect(command.limits.count == 7)
    #expect(command.log.level == .error)
    #expect(command.connection.insecure && command.connection.wait)
    let configuration = command.sinkConfiguration
    #expect(configuration.directory == "data")
    #expect(configuration.channels == [.raw])
    #expect(configuration.synchronization == .batch)
    #expect(configuration.keepsAccounts)
  }

  @Test(arguments: [
    ([], "info"), (["-q"], "warning"), (["-v"], "debug"), (["-vv"], "trace"),
    (["--log-level", "ERROR"], "error"),
  ])
  func logLevels(_ options: [String], _ expected: String) throws {
    let command = try #require(IBKRCommand.parseAsRoot(["simulate"] + options) as? SimulateCommand)
    #expect(command.log.level.rawValue == expected)
  }

  @Test(arguments: [[], ["record"], ["stream"], ["simulate"], ["top"]])
  func helpHasExamples(_ command: [String]) {
    do {
      var parsed = try IBKRCommand.parseAsRoot(command + ["--help"])
      try parsed.run()
      Issue.record("help did not end the command")
    } catch {
      #expect(ExitStatus(error) == .done)
      #expect(IBKRCommand.fullMessage(for: error).contains("ibkr record AAPL"))
    }
  }
}

@Suite struct ExitStatusTests {
  @Test(
    arguments: [
      (IbkrError.Code.unknownSymbol, 2), (.ambiguousSymbol, 2), (.authentication, 3),
      (.competing, 3),
      (.network, 4), (.timeout, 4), (.untrusted, 4), (.unexpectedAnswer, 4),
      (.invalidConfiguration, 78), (.server, 1), (.rateLimited, 1),
    ] as [(IbkrError.Code, Int32)]
  )
  func errorsOfTheClient(_ code: IbkrError.Code, _ expected: Int32) {
    #expect(ExitStatus(IbkrError(code, "x")).rawValue == expected)
  }

  @Test func otherErrors() {
    #expect(ExitStatus(StorageError("write", "/x", reason: "y")).rawValue == 7)
    #expect(ExitStatus(GapsFound(gaps: 1)).rawValue == 5)
    #expect(ExitStatus(CancellationError()).rawValue == 1)
  }

  @Test func aSentenceIsWhatAPersonSees() {
    let message = IBKRCommand.fullMessage(for: IbkrError(.network, "connection refused", at: "x:1"))
    #expect(message == "Error: connection refused (x:1)")
    let untrusted = Main.message(for: IbkrError(.untrusted, "x is not trusted"))
    #expect(untrusted.hasPrefix("Error: x is not trusted: --pin sha256/… or --ca FILE\nNext: "))
    let storage = IBKRCommand.fullMessage(for: StorageError("write", "/x", reason: "no space"))
    #expect(storage == "Error: cannot write /x: no space")
  }

  @Test(
    arguments: [
      ([:], nil), (["HTTPS_PROXY": ""], nil),
      (["HTTPS_PROXY": "http://upper:1"], "upper:1"),
      (["HTTPS_PROXY": "http://upper:1", "https_proxy": "http://lower:2"], "lower:2"),
      (["ALL_PROXY": "http://all:3", "HTTP_PROXY": "http://never:4"], "all:3"),
    ] as [([String: String], String?)]
  )
  func proxyVariables(_ variables: [String: String], _ expected: String?) throws {
    var configuration = IbkrConfiguration()
    try configuration.useProxy(of: variables)
    #expect(configuration.proxy?.description == expected)
  }

  @Test func aProxyIsNotForThisMachineNorForTheHostsThatAreLeftOut() throws {
    var configuration = IbkrConfiguration()
    try configuration.useProxy(of: ["HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "example.com"])
    #expect(configuration.directHosts.contains("localhost"))
    #expect(configuration.directHosts.contains("www.example.com"))
    #expect(!configuration.directHosts.contains("api.ibkr.com"))
  }

  @Test func aProxyThatIsNoneIsNamedWithoutItsPassword() {
    var configuration = IbkrConfiguration()
    let error = #expect(throws: IbkrError.self) {
      try configuration.useProxy(of: ["HTTPS_PROXY": "socks5://me:hunter2@proxy"])
    }
    #expect(error?.code == .invalidConfiguration)
    #expect(error?.description.contains("HTTPS_PROXY") == true)
    #expect(error?.description.contains("hunter2") == false)
  }

  @Test func fieldsAreSearched() throws {
    #expect(try FieldsCommand.parse(["bid"]).text == "bid")
    let nothing = try FieldsCommand.parse(["no such field"])
    #expect(throws: (any Error).self) { try nothing.run() }
  }
}
