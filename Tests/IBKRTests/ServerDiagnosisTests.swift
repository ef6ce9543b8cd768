// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Flow
import GatewaySimulator
import OAuth1a
import Testing
import Transport

@testable import IBKR

@Suite(.timeLimit(.minutes(5))) struct ServerDiagnosisTests {
  /// Knows one host, as a name server does.
  private struct NameServer: Resolver {
    func addresses(
      of host: String,
      port: UInt16,
      on loop: EventLoop,
      deadline: Int64?
    ) async throws(TransportError) -> [SocketAddress] {
      guard host == "gateway", let address = SocketAddress(literal: "192.0.2.1", port: port) else {
        throw TransportError(.nameNotFound, "there is no host named \(host)")
      }
      return [address]
    }
  }

  /// A simulated server, and a client's configuration that fits it.
  private struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// The checks that are not passed: `name outcome`.
    let found: [String]
    /// Parts of what the first of them says, and advises.
    var says = ""
    var advises = ""
    var usesOAuth = true
    var faults: [Scenario.Event] = []
    var isReachable = true
    var change: @Sendable (inout IbkrConfiguration) -> Void = { _ in }
  }

  private static let later = ["session", "competing", "market-data", "socket"]
  private static func skipped(_ names: [String]) -> [String] { names.map { "\($0) skipped" } }
  /// The simulator does not say its time, like a gateway.
  private static let silent = "clock skipped"

  private static let cases = [
    Case(testDescription: "all is well, OAuth", found: [silent]),
    Case(testDescription: "all is well, gateway", found: [silent], usesOAuth: false),
    Case(
      testDescription: "a host that nobody knows",
      found: ["dns failed"] + skipped(["tcp", "tls", "clock", "login"] + later),
      says: "no host named gatway",
      advises: "correct the host",
      change: { $0.oauth?.restURL = "http://gatway:5000/v1/api" }
    ),
    Case(
      testDescription: "a port on which nothing listens, gateway",
      found: ["tcp failed"] + skipped(["tls", "clock"] + later),
      says: "nothing listens on gateway:5001",
      advises: "start the gateway",
      usesOAuth: false,
      change: { $0.restURL = "http://gateway:5001/v1/api" }
    ),
    Case(
      testDescription: "no way to the server, OAuth",
      found: ["tcp failed"] + skipped(["tls", "clock", "login"] + later),
      says: "cannot be reached",
      advises: "HTTPS_PROXY",
      isReachable: false
    ),
    Case(
      testDescription: "a consumer key that is not known",
      found: [silent, "login failed"] + skipped(later),
      says: "invalid consumer",
      advises: "nightly restart",
      change: { $0.oauth?.consumerKey = "STRANGERS" }
    ),
    Case(
      testDescription: "another access token",
      found: [silent, "login failed"] + skipped(later),
      says: "invalid access token",
      advises: "copy it again",
      change: { $0.oauth?.accessToken = Secret("00000000000000000000") }
    ),
    Case(
      testDescription: "a prime that is not the registered one",
      found: [silent, "login failed"] + skipped(later),
      says: "prime",
      advises: "",
      change: { $0.oauth?.dhPrime = "fe" + SetUp.prime.dropFirst(2) }
    ),
    Case(
      testDescription: "another login",
      found: [silent, "session failed", "competing failed"]
        + skipped(["market-data", "socket"]),
      says: "not authenticated",
      advises: "try again later",
      faults: [.init(.competingLogin(for: .seconds(3_600)), after: .zero)]
    ),
    Case(
      testDescription: "nobody logged in at the gateway",
      found: [silent, "session failed"] + skipped(["market-data", "socket"]),
      says: "not authenticated",
      advises: "log in at http://gateway:5000 in a browser",
      usesOAuth: false,
      faults: [
        .init(.authenticationLoss(for: .seconds(3_600), announcesReturn: false), after: .zero)
      ]
    ),
    Case(
      testDescription: "a socket that does not greet",
      found: [silent, "socket failed"],
      says: "does not greet",
      advises: "restart the gateway",
      usesOAuth: false,
      faults: [.init(.silence(for: .seconds(3_600)), after: .zero)]
    ),
  ]

  @Test(arguments: cases)
  private func `A server is looked at from its name to a quote`(_ example: Case) async throws {
    let start = Timestamp(
      realtime: 1_777_552_110_000_000_000,
      monotonic: 1_000_000_000,
      boot: 1_000_000_000
    )
    let loop = try EventLoop(virtual: start, advance: .onDemand)
    let network = MemoryNetwork()
    let user = try VirtualServer.user
    var simulated = GatewaySimulatorConfiguration()
    if example.usesOAuth { simulated.user = user }
    simulated.scenario = Scenario(name: "test", events: example.faults)
    let simulator = try await GatewaySimulator.start(
      simulated,
      listener: network.listen(host: "gateway", port: 5000, on: loop),
      loop: loop
    )
    if !example.isReachable { network.setUp(false) }
    var configuration = IbkrConfiguration()
    configuration.restURL = "http://gateway:5000/v1/api"
    if example.usesOAuth { configuration.oauth = OAuth1aConfig(user) }
    example.change(&configuration)
    let diagnosing = Task(executorPreference: loop) { [configuration] in
      var diagnosis = Diagnosis()
      await diagnosis.examineServer(
        configuration,
        loop: loop,
        connector: network,
        resolver: NameServer()
      )
      return diagnosis
    }
    await loop.advance(by: .seconds(120))
    let diagnosis = await diagnosing.value
    try await simulator.stop()
    loop.stop()

    let bad = diagnosis.checks.filter { $0.outcome != .passed }
    #expect(bad.map { "\($0.name) \($0.outcome.rawValue)" } == example.found, "\(diagnosis.checks)")
    guard let first = bad.first(where: { $0.outcome == .failed }) else { return }
    #expect(first.finding.contains(example.says), "\(first)")
    #expect(first.remedy?.contains(example.advises) == true, "\(first)")
    let text = diagnosis.checks.map(\.description).joined(separator: "\n")
    #expect(!text.contains(user.accessToken.exposedText))
  }

  @Test func `A login that cannot succeed is not tried`() async throws {
    let simulator = try await GatewaySimulator.start(GatewaySimulatorConfiguration())
    var configuration = IbkrConfiguration()
    configuration.oauth = OAuth1aConfig(try VirtualServer.user)
    configuration.oauth?.restURL = simulator.url
    configuration.oauth?.consumerKey = "simulated"
    configuration.trust = .authorities(pem: simulator.caPEM)
    var diagnosis = Diagnosis()
    if let oauth = configuration.oauth { diagnosis.examineKeys(oauth) }
    await diagnosis.examineServer(configuration)
    try await simulator.stop()
    #expect(diagnosis.failure?.name == "consumer-key")
    #expect(diagnosis.checks.first { $0.name == "tls" }?.outcome == .passed)
    #expect(diagnosis.checks.first { $0.name == "login" }?.outcome == .skipped)
  }

  @Test(arguments: [
    (nil, Check.Outcome.passed, ""), ("expired", .failed, "expired"),
    ("other host", .failed, "is not for 127.0.0.1"),
  ])
  func `A certificate that is refused is refused with its reason`(
    fault: String?,
    outcome: Check.Outcome,
    says: String
  ) async throws {
    var simulated = GatewaySimulatorConfiguration()
    simulated.certificate = { request in
      if fault == "expired" {
        request.notBefore -= 864_000
        request.notAfter = request.notBefore + 86_400
      }
      if fault == "other host" {
        request.dnsNames = ["gateway.example"]
        request.ipAddresses = []
      }
    }
    let simulator = try await GatewaySimulator.start(simulated)
    var configuration = IbkrConfiguration()
    configuration.restURL = simulator.url
    configuration.trust = .authorities(pem: simulator.caPEM)
    var diagnosis = Diagnosis()
    await diagnosis.examineServer(configuration)
    try await simulator.stop()
    let check = diagnosis.checks.first { $0.name == "tls" }
    #expect(check?.outcome == outcome)
    #expect(check?.finding.contains(says) == true)
    if outcome == .failed {
      #expect(check?.remedy?.contains("--pin \(simulator.pin)") == true)
      #expect(check?.area == .network)
    } else {
      #expect(diagnosis.failure == nil, "\(diagnosis.checks)")
    }
  }

  @Test(
    arguments: [
      (0, false, Check.Outcome.passed), (4, true, .passed), (30, true, .warning),
      (-30, false, .warning), (90, true, .failed), (-4_000, true, .failed),
      (4_000, false, .warning),
    ] as [(Int64, Bool, Check.Outcome)]
  )
  func `A clock that is wrong is told by how much`(
    offset: Int64,
    isSigning: Bool,
    outcome: Check.Outcome
  ) {
    let server: Int64 = 1_777_552_110
    let now = (server + offset) * 1_000_000_000 + 500_000_000
    let check = WayToServer.clock(server, sent: now, received: now, isSigning: isSigning)
    #expect(check.outcome == outcome)
    guard outcome != .passed else { return }
    #expect(check.finding.contains("\(abs(offset)) s \(offset < 0 ? "behind" : "ahead of")"))
    #expect(check.remedy?.contains("timedatectl") == true)
  }

  @Test func `A server that does not say its time is no fault`() {
    #expect(WayToServer.clock(nil, sent: 0, received: 0, isSigning: true).outcome == .skipped)
  }

  @Test(
    arguments: [
      ("RpB", .passed, "real time"), ("ZB", .passed, "frozen"), ("DPB", .warning, "late"),
      ("Y", .warning, "late"), ("N", .warning, "not subscribed"), ("O", .warning, "not signed"),
      ("?", .warning, "nobody has documented"), (nil, .warning, "no data"),
    ] as [(String?, Check.Outcome, String)]
  )
  func `What an availability means is said`(code: String?, outcome: Check.Outcome, says: String) {
    let check = Diagnosis.marketData(code)
    #expect(check.outcome == outcome)
    #expect(check.finding.contains(says))
    #expect(code == "?" || (check.remedy == nil) == (outcome == .passed))
  }
}

extension OAuth1aConfig {
  /// The configuration of a user who is registered at a simulator.
  init(_ user: SimulatedUser) {
    self.init()
    restURL = "http://gateway:5000/v1/api"
    webSocketURL = "ws://gateway:5000/v1/api/ws"
    consumerKey = user.consumerKey
    accessToken = user.accessToken
    accessTokenSecret = user.accessTokenSecret
    encryptionKey = user.encryptionKeyPEM
    signatureKey = user.signatureKeyPEM
    dhPrime = user.prime
  }
}
