// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Flow
import Logging
import OAuth1a
import Testing
import Transport

@testable import GatewaySimulator
@testable import IBKR
@testable import Recording

/// Lets a login, a stream and a recording meet every fault, and looks for what is secret in all that
/// they leave behind.
@Suite(.timeLimit(.minutes(5))) struct PlantedSecretsTests {
  /// Keeps every line at every level.
  private struct Ear: LogHandler {
    let lines: Lines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      lines.add("\(event.level) \(event.message) \(event.metadata ?? [:]) \(metadata)")
    }
  }

  private final class Lines: Sendable {
    private let list = Locked<[String]>([])
    func add(_ line: String) { list.withLock { $0.append(line) } }
    var all: [String] { list.withLock { $0 } }
  }

  private static let faults: [Scenario.Event] = [
    .init(.tokenLoss, after: .seconds(20)), .init(.dropConnections, after: .seconds(40)),
    .init(.newSession, after: .seconds(60)),
    .init(.tooManyRequests(for: .seconds(10), retryAfter: nil), after: .seconds(80)),
    .init(.gone(for: .seconds(10)), after: .seconds(100)),
    .init(.closeConnections(code: 1_000), after: .seconds(105)),
    .init(.competingLogin(for: .seconds(10)), after: .seconds(140)),
    .init(.loginLoss(for: .seconds(10)), after: .seconds(160)),
    .init(.dropConnections, after: .seconds(165)),
  ]

  @Test func `What is secret is found nowhere`() async throws {
    let start = Timestamp(
      realtime: 1_777_552_110_000_000_000,
      monotonic: 1_000_000_000,
      boot: 1_000_000_000
    )
    let loop = try EventLoop(virtual: start, advance: .onDemand)
    let network = MemoryNetwork()
    let user = try SimulatedUser()
    var simulated = GatewaySimulatorConfiguration()
    simulated.user = user
    simulated.scenario = Scenario(name: "planted", events: Self.faults)
    let simulator = try await GatewaySimulator.start(
      simulated,
      listener: network.listen(host: "gateway", port: 5000, on: loop),
      loop: loop
    )
    let lines = Lines()
    let logger = Logger(label: "test") { _ in Ear(lines: lines) }
    var configuration = IbkrConfiguration()
    configuration.accountID = Secret("DU1234567")
    configuration.oauth = Self.oauth(user)
    let client = try IbkrClient(
      configuration: configuration,
      loop: loop,
      connector: network,
      logger: logger
    )
    let storage = MemoryStorage()
    var files = NDJSONFileSink.Configuration(directory: "memory")
    // What is compressed would hide everything from the search.
    files.codec = nil
    let sink = NDJSONFileSink(
      files,
      disk: loop,
      notify: { lines.add("\($0)") }
    ) { () throws(StorageError) in storage }
    var patience = StreamConfiguration()
    patience.waitsForServer = true
    let stream = IbkrWsClient(ibkrClient: client, configuration: patience, logger: logger)
    stream.attach(sink)
    try await stream.want(.marketData(conid: 265_598))
    let run = Task(executorPreference: loop) {
      do { try await stream.run() } catch { lines.add("\(error)") }
    }

    // What there is to be found, as it changes.
    var secrets = Self.secrets(of: user)
    for _ in 0..<20 {
      await loop.advance(by: .seconds(10))
      let hasAnswer = Locked(false)
      let asking = Task(executorPreference: loop) { () -> [String] in
        defer { hasAnswer.withLock { $0 = true } }
        var found = await Self.forms(of: client.session.token?.key)
        do throws(IbkrError) {
          found += Self.forms(of: try await client.tickle().session)
        } catch {
          lines.add("\(error) \(String(reflecting: error)) \(Mirror(reflecting: error).children)")
        }
        return found
      }
      // In the middle of a fault the answer takes as long as the client waits, which is random.
      for _ in 0..<600 where !hasAnswer.withLock({ $0 }) { await loop.advance(by: .seconds(1)) }
      try #require(hasAnswer.withLock { $0 }, "neither an answer nor an error in ten minutes")
      secrets.formUnion(await asking.value)
    }
    var diagnosis = Diagnosis()
    diagnosis.examineKeys(Self.oauth(user))
    for text in [
      "\(configuration.settings)", "\(client)", String(reflecting: client.configuration),
      "\(await client.session)", "\(Mirror(reflecting: user).children.map { "\($0)" })",
      "\(diagnosis)", String(reflecting: try Self.oauth(user).credentials()),
    ] {
      lines.add(text)
    }
    let stopping = Task(executorPreference: loop) {
      await stream.stop()
      await client.close()
    }
    await loop.advance(by: .seconds(30))
    await stopping.value
    await run.value
    try await simulator.stop()
    loop.stop()

    let recorded = storage.with { state in
      state.files.map { "\($0.key)\n" + String(decoding: $0.value.bytes, as: UTF8.self) }
    }
    // Nothing would be found in nothing.
    #expect(secrets.count > 60)
    #expect(lines.all.count > 20)
    #expect(recorded.contains { $0.contains("<redacted>") && $0.contains("acct-1") })
    let everything = (lines.all + recorded).joined(separator: "\n")
    for secret in secrets.sorted() where everything.contains(secret) {
      let place = (lines.all + recorded).first { $0.contains(secret) }?.prefix(200) ?? ""
      Issue.record("found \(secret.prefix(12))… in \(place)")
    }
  }

  private static func oauth(_ user: SimulatedUser) -> OAuth1aConfig {
    var oauth = OAuth1aConfig()
    oauth.restURL = "http://gateway:5000/v1/api"
    oauth.webSocketURL = "ws://gateway:5000/v1/api/ws"
    oauth.consumerKey = user.consumerKey
    oauth.accessToken = user.accessToken
    oauth.accessTokenSecret = user.accessTokenSecret
    oauth.encryptionKey = user.encryptionKeyPEM
    oauth.signatureKey = user.signatureKeyPEM
    oauth.dhPrime = user.prime
    return oauth
  }

  private static func secrets(of user: SimulatedUser) -> Set<String> {
    var secrets: Set<String> = ["DU1234567", "simulated1", "06:59:AE:5B:4F:D1", "oauth_token="]
    for pem in [user.encryptionKeyPEM, user.signatureKeyPEM] {
      let lines = pem.exposedText.split(separator: "\n").filter { $0.utf8.count >= 32 }
      secrets.formUnion(lines.map(String.init).filter { !$0.hasPrefix("-") })
    }
    secrets.formUnion([user.accessToken.exposedText, user.accessTokenSecret.exposedText])
    secrets.formUnion(forms(of: user.secret))
    return secrets
  }

  /// A secret as it might be printed.
  private static func forms(of secret: Secret?) -> [String] {
    guard let secret else { return [] }
    let bytes = secret.exposedBytes
    let hexadecimal = Hexadecimal.encode(bytes)
    let text = String(validating: bytes, as: UTF8.self)
    return [hexadecimal, hexadecimal.uppercased(), Base64.encode(bytes), "\(bytes)"]
      + (text.map { [$0] } ?? [])
  }
}
