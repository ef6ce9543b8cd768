// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Glibc
import Testing

@testable import Transport

/// Both ends of a TLS connection in memory, with certificates made for the case.
private struct Setup {
  static let now = Int64(time(nil))

  var request = CertificateRequest(now: now)
  var host = "localhost"
  var trustsAuthority = true
  var trust: TrustPolicy?
  var isSelfSigned = false
  var leavesOutIntermediate = false
  var serverNeedsClient = false
  var clientHasCertificate = false

  /// Shakes hands and gives both ends, or throws what the client sees.
  func connect() throws -> (client: TLSSession, server: TLSSession) {
    let authority = try CertificateAuthority(name: "test root", now: Self.now)
    let stranger = try CertificateAuthority(name: "other root", now: Self.now)
    let issuer =
      leavesOutIntermediate
      ? try authority.intermediate(name: "test intermediate", now: Self.now) : authority
    let issued =
      isSelfSigned ? try CertificateAuthority.selfSigned(request) : try issuer.issue(request)
    let leaf = issued.certificateChainPEM.split(separator: "-----BEGIN").first.map {
      "-----BEGIN" + $0
    }
    let server = try TLSContext(
      server: TLSCredentials(
        chainPEM: leavesOutIntermediate ? leaf ?? "" : issued.certificateChainPEM,
        keyPEM: issued.privateKeyPEM
      ),
      clientAuthorities: serverNeedsClient ? authority.certificatePEM : nil
    )
    var own = CertificateRequest(now: Self.now)
    own.purpose = .client
    let ours = try authority.issue(own)
    let client = try TLSContext(
      client: trust
        ?? .authorities(pem: (trustsAuthority ? authority : stranger).certificatePEM),
      credentials: clientHasCertificate
        ? TLSCredentials(chainPEM: ours.certificateChainPEM, keyPEM: ours.privateKeyPEM) : nil
    )
    return try Self.shakeHands(client, host, server)
  }

  static func shakeHands(
    _ client: TLSContext,
    _ host: String,
    _ server: TLSContext
  ) throws -> (client: TLSSession, server: TLSSession) {
    let pair = try TLSSession.inMemory(client: client, host: host, server: server)
    var clientDone = false
    var serverDone = false
    for _ in 0..<10 where !(clientDone && serverDone) {
      if !clientDone { clientDone = try pair.client.handshake() == .done(0) }
      // What the server thinks of a refusal is not what is tested.
      if !serverDone { serverDone = (try? pair.server.handshake()) == .done(0) }
    }
    try #require(clientDone && serverDone)
    return pair
  }
}

/// A refusal: how to cause it, and what the client must call it.
private struct Refusal: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let code: TLSError.Code
  let mentions: String
  let change: @Sendable (inout Setup) -> Void

  init(
    _ name: String,
    _ code: TLSError.Code,
    mentions: String = "",
    change: @escaping @Sendable (inout Setup) -> Void
  ) {
    testDescription = name
    self.code = code
    self.mentions = mentions
    self.change = change
  }
}

@Suite struct TLSSessionTests {
  @Test(arguments: ["localhost", "localhost.", "127.0.0.1", "::1"])
  func `A certificate for the name or address is taken`(host: String) throws {
    var setup = Setup()
    setup.host = host
    let (client, _) = try setup.connect()
    #expect(client.summary.hasPrefix("TLSv1.3 "))
  }

  private static let refusals = [
    Refusal("expired", .certificateExpired, mentions: "expired at") {
      $0.request.notBefore = Setup.now - 7_200
      $0.request.notAfter = Setup.now - 3_600
    },
    Refusal("not yet valid", .certificateNotYetValid, mentions: "clock") {
      $0.request.notBefore = Setup.now + 3_600
    },
    Refusal("other name", .hostMismatch, mentions: "DNS:localhost") { $0.host = "example.com" },
    Refusal("other address", .hostMismatch, mentions: "127.0.0.1") { $0.host = "127.0.0.2" },
    Refusal("address as a name", .hostMismatch) {
      $0.request.dnsNames = ["127.0.0.1.example"]
      $0.request.ipAddresses = []
      $0.host = "127.0.0.1"
    },
    Refusal("common name only", .hostMismatch) {
      $0.request.commonName = "only.example"
      $0.host = "only.example"
    },
    Refusal("wildcard one level too high", .hostMismatch) {
      $0.request.dnsNames = ["*.example.com"]
      $0.host = "a.b.example.com"
    },
    Refusal("partial wildcard", .hostMismatch) {
      $0.request.dnsNames = ["f*.example.com"]
      $0.host = "foo.example.com"
    },
    Refusal("self-signed", .selfSigned, mentions: "sha256/") { $0.isSelfSigned = true },
    Refusal("unknown root", .unknownIssuer) { $0.trustsAuthority = false },
    Refusal("missing intermediate", .unknownIssuer, mentions: "intermediate") {
      $0.leavesOutIntermediate = true
    },
    Refusal("for clients only", .badCertificate) { $0.request.purpose = .client },
    Refusal("no pin", .pinMismatch, mentions: "sha256/") { $0.trust = .pinned([]) },
  ]

  @Test(arguments: refusals)
  private func `A refusal is named and explained`(_ refusal: Refusal) throws {
    var setup = Setup()
    refusal.change(&setup)
    let error = try #require(throws: TLSError.self) { try setup.connect() }
    #expect(error.code == refusal.code, "\(error)")
    #expect(error.description.contains(refusal.mentions), "\(error)")
  }

  @Test func `A certificate that is trusted by name needs no root`() throws {
    let authority = try CertificateAuthority(name: "test root", now: Setup.now)
    let issued = try authority.issue(CertificateRequest(now: Setup.now))
    let server = try TLSContext(
      server: TLSCredentials(chainPEM: issued.certificateChainPEM, keyPEM: issued.privateKeyPEM)
    )
    let client = try TLSContext(client: .authorities(pem: issued.certificateChainPEM))
    _ = try Setup.shakeHands(client, "localhost", server)
    #expect(throws: TLSError.self) { try Setup.shakeHands(client, "example.com", server) }
  }

  @Test func `A wildcard stands for one label`() throws {
    var setup = Setup()
    setup.request.dnsNames = ["*.example.com"]
    setup.host = "a.example.com"
    _ = try setup.connect()
  }

  @Test func `The pin of a refused certificate lets it in`() throws {
    let request = CertificateRequest(now: Setup.now - 100 * 86_400, days: 1)
    let issued = try CertificateAuthority.selfSigned(request)
    let server = try TLSContext(
      server: TLSCredentials(chainPEM: issued.certificateChainPEM, keyPEM: issued.privateKeyPEM)
    )
    let strict = try TLSContext(client: .system)
    let refused = #expect(throws: TLSError.self) {
      try Setup.shakeHands(strict, "gateway.example", server)
    }
    let pin = try #require(refused?.pin)
    #expect(pin.description == issued.pin)
    let pinned = try TLSContext(client: .pinned([pin]))
    let (client, _) = try Setup.shakeHands(pinned, "gateway.example", server)
    #expect(client.peerPin == pin)
  }

  @Test func `A server that wants a certificate gets the configured one`() throws {
    var setup = Setup()
    setup.serverNeedsClient = true
    setup.clientHasCertificate = true
    _ = try setup.connect()
  }

  @Test func `A second connection resumes the first one's session`() throws {
    let authority = try CertificateAuthority(name: "test root", now: Setup.now)
    let issued = try authority.issue(CertificateRequest(now: Setup.now))
    let server = try TLSContext(
      server: TLSCredentials(chainPEM: issued.certificateChainPEM, keyPEM: issued.privateKeyPEM)
    )
    let client = try TLSContext(client: .authorities(pem: authority.certificatePEM))
    do {
      let first = try Setup.shakeHands(client, "localhost", server)
      #expect(!first.client.isResumed)
      // TLS 1.3 sends its tickets after the handshake, so something has to be read.
      #expect(try first.client.readAll() == [])
    }
    #expect(try Setup.shakeHands(client, "localhost", server).client.isResumed)
    let other = try Setup.shakeHands(client, "127.0.0.1", server)
    #expect(!other.client.isResumed, "a session must not vouch for another name")
  }

  @Test func `Bytes arrive as they were written, and the end is told`() throws {
    let (client, server) = try Setup().connect()
    var sent: [UInt8] = []
    var received: [UInt8] = []
    var generator = SystemRandomNumberGenerator()
    for size in [1, 5, 16_384, 16_385, 40_000] {
      let part = (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }
      var rest = part[...]
      while !rest.isEmpty {
        let progress = try Array(rest).withUnsafeBytes { try server.write($0) }
        if case .done(let count) = progress { rest = rest.dropFirst(count) }
        received += try client.readAll()
      }
      sent += part
    }
    #expect(received == sent)
    #expect(server.shutdown() == .done(0))
    var buffer = [UInt8](repeating: 0, count: 16)
    #expect(try buffer.withUnsafeMutableBytes { try client.read(into: $0) } == .end(clean: true))
  }

  @Test(arguments: [
    "", "sha256/", "sha1/AAAA", "sha256/not base64 at all, but forty-four characters",
    "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAA",
    "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
  ])
  func `What is no pin is refused`(text: String) {
    #expect(PublicKeyPin(text) == nil)
  }

  @Test func `A pin is read with one slash or with curl's two`() throws {
    let encoded = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    let pin = try #require(PublicKeyPin("sha256/" + encoded))
    #expect(pin.description == "sha256/" + encoded)
    #expect(PublicKeyPin("sha256//" + encoded) == pin)
    let slash = "//////////////////////////////////////////8="
    #expect(PublicKeyPin("sha256/" + slash)?.description == "sha256/" + slash)
    #expect(PublicKeyPin("sha256//" + slash)?.description == "sha256/" + slash)
  }

  @Test func `Credentials print nothing of the key`() {
    let credentials = TLSCredentials(chainPEM: "chain", keyPEM: "PLANTED")
    #expect(!"\(credentials) \(String(reflecting: credentials))".contains("PLANTED"))
    var dumped = ""
    dump(credentials, to: &dumped)
    #expect(!dumped.contains("PLANTED"))
  }

  @Test(arguments: [
    TrustPolicy.authorities(file: "/nonexistent/ca.pem"), .authorities(pem: "no certificate"),
  ])
  func `Unusable authorities are told at once`(trust: TrustPolicy) {
    let error = #expect(throws: TLSError.self) { try TLSContext(client: trust) }
    #expect(error?.code == .configuration)
  }
}

extension TLSSession {
  /// Everything that can be read now.
  fileprivate func readAll() throws -> [UInt8] {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while case .done(let count) = try buffer.withUnsafeMutableBytes({ try read(into: $0) }) {
      all += buffer.prefix(count)
    }
    return all
  }
}
