// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import JSON
import OAuth1a
import Testing
import Transport

@testable import IBKR

@Suite struct ServerWordsTests {
  @Test(arguments: [
    ("Please query /accounts first", "Please query /accounts first"),
    ("Order 999 is not found", "Order 999 is not found"),
    (
      "No access secret key found for 8d1f0c27ab5e94630b7a",
      "No access secret key found for <redacted>"
    ),
    ("account U1234567 is locked", "account <redacted> is locked"),
    ("DU1234567", "<redacted>"), ("user name99999", "user <redacted>"),
    ("two\nlines\u{1B}[31m", "two lines [31m"),
    (String(repeating: "long ", count: 100), String(repeating: "long ", count: 40) + "…"),
  ])
  func `What may be secret is left out`(said: String, shown: String) {
    #expect(ServerWords.sanitized(said) == shown)
  }
}

@Suite struct RefusalTests {
  private struct Case: Sendable, CustomTestStringConvertible {
    let status: Int
    let body: String
    let code: IbkrError.Code?
    var mentions = ""
    var testDescription: String { "\(status) \(body)" }
  }

  private static let cases = [
    Case(status: 200, body: #"{"session":"a"}"#, code: nil),
    Case(status: 200, body: #"{"error":"no session"}"#, code: .authentication, mentions: "log in"),
    Case(
      status: 200,
      body: #"{"error":"Chart data unavailable"}"#,
      code: .server,
      mentions: "Chart"
    ),
    Case(status: 401, body: "", code: .authentication, mentions: "browser"),
    Case(
      status: 401,
      body: #"{"error":"id: 3931, error: invalid consumer","statusCode":401}"#,
      code: .authentication,
      mentions: "invalid consumer"
    ),
    Case(status: 400, body: "Bad Request: no bridge", code: .authentication),
    Case(status: 400, body: #"{"error":"Bad Request: Invalid period: 3M"}"#, code: .server),
    Case(
      status: 404,
      body: "<html><body><h1>Resource not found</h1></body></html>",
      code: .server,
      mentions: "/v1/api"
    ),
    Case(status: 410, body: "gone", code: .sessionGone, mentions: "browser"),
    Case(status: 429, body: #"{"error":"too many"}"#, code: .rateLimited, mentions: "15 minutes"),
    Case(status: 500, body: "Internal Server Error", code: .server, mentions: "ips.allow"),
    Case(status: 503, body: #"{"error":"Service Unavailable","statusCode":503}"#, code: .server),
    Case(status: 302, body: "", code: .server, mentions: "302"),
  ]

  @Test(arguments: cases)
  private func `A refusal becomes one sentence that helps`(_ refusal: Case) throws {
    let head = try ResponseHead(status: refusal.status)
    let url = try WebURL("https://localhost:5000/v1/api?token=PLANTED")
    let error = IbkrError.refusal(
      head,
      try? JSONValue(parsing: Array(refusal.body.utf8)),
      text: refusal.body,
      to: "POST tickle",
      of: url
    )
    #expect(error?.code == refusal.code)
    let text = error?.description ?? ""
    #expect(refusal.mentions.isEmpty || text.contains(refusal.mentions), "\(text)")
    #expect(refusal.code == nil || text.contains("POST tickle"))
    #expect(!text.contains("PLANTED"))
  }
}

@Suite struct IbkrConfigurationTests {
  @Test func `Nothing set means a gateway on this machine, verified`() throws {
    let configuration = try IbkrConfiguration(environment: [:])
    #expect(configuration.restURL == "https://localhost:5000/v1/api")
    #expect(configuration.trust == .system)
    #expect(configuration.ticklerInterval == .seconds(60))
    let client = try IbkrClient(configuration: configuration)
    #expect(client.webSocketURL.origin == "wss://localhost:5000")
    #expect(client.webSocketURL.path == "/v1/api/ws")
  }

  @Test(arguments: [
    ("True", TrustPolicy.system), ("False", .insecure),
    ("/etc/ca.pem", .authorities(file: "/etc/ca.pem")),
    ("", .system),
  ])
  func `IBIND_CACERT has IBind's meaning`(text: String, trust: TrustPolicy) throws {
    #expect(try IbkrConfiguration(environment: ["IBIND_CACERT": text]).trust == trust)
  }

  @Test(arguments: [
    ["IBIND_TICKLER_INTERVAL": "soon"], ["IBIND_TICKLER_INTERVAL": "0"],
    ["IBIND_TICKLER_INTERVAL": "1.5"], ["IBIND_USE_OAUTH": "perhaps"],
  ])
  func `What cannot work names its variable`(environment: [String: String]) throws {
    let error = #expect(throws: IbkrError.self) {
      try IbkrConfiguration(environment: environment)
    }
    #expect(error?.code == .invalidConfiguration)
    let name = try #require(environment.keys.first)
    #expect(error?.description.contains(name) == true)
  }

  @Test(arguments: [
    "localhost:5000", "ftp://localhost/", "https://user:PLANTED@localhost/", "https://loc alhost/",
    "",
  ])
  func `An address that cannot be one is refused`(url: String) {
    var configuration = IbkrConfiguration()
    configuration.restURL = url
    let error = #expect(throws: IbkrError.self) { try IbkrClient(configuration: configuration) }
    #expect(error?.code == .invalidConfiguration)
    #expect(error?.description.contains("PLANTED") == false)
  }

  @Test func `The cookie is the JSON object that the gateway wants`() throws {
    let client = try IbkrClient()
    let headers = client.webSocketHeaders(session: Secret("abc"))
    #expect(headers.map(\.name) == ["Cookie"])
    #expect(headers.map(\.value) == [#"api={"session":"abc"}"#])
  }
}
