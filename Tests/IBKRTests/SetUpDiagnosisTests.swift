// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Testing

@testable import IBKR

@Suite(.timeLimit(.minutes(5))) struct SetUpDiagnosisTests {
  /// A set-up with one thing wrong, and what has to be said about it.
  struct Broken: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// The name of the check that has to find it, and how bad it is.
    let check: String
    var outcome = Check.Outcome.failed
    /// A part of what is said to be wrong, and of what is said to help.
    let says: String
    let advises: String
    let spoil: @Sendable (SetUp) throws -> Void

    init(
      _ name: String,
      _ check: String,
      _ outcome: Check.Outcome = .failed,
      says: String,
      advises: String,
      _ spoil: @escaping @Sendable (SetUp) throws -> Void
    ) {
      testDescription = name
      self.check = check
      self.outcome = outcome
      self.says = says
      self.advises = advises
      self.spoil = spoil
    }

    /// One variable has another value; nil for none.
    static func variable(
      _ name: String,
      _ value: String?,
      _ title: String,
      _ check: String,
      _ outcome: Check.Outcome = .failed,
      says: String,
      advises: String
    ) -> Broken {
      Broken(title, check, outcome, says: says, advises: advises) { $0.environment[name] = value }
    }
  }

  private static let consumer = "IBIND_OAUTH1A_CONSUMER_KEY"
  private static let token = "IBIND_OAUTH1A_ACCESS_TOKEN"
  private static let secret = "IBIND_OAUTH1A_ACCESS_TOKEN_SECRET"
  private static let prime = "IBIND_OAUTH1A_DH_PRIME"
  private static let signatureFile = "IBIND_OAUTH1A_SIGNATURE_KEY_FP"
  private static let encryptionFile = "IBIND_OAUTH1A_ENCRYPTION_KEY_FP"

  static let names: [Broken] = [
    .variable(
      consumer,
      nil,
      "no consumer key",
      "consumer-key",
      says: "missing",
      advises: "nine capital letters"
    ),
    .variable(
      consumer,
      "simulated",
      "a consumer key in small letters",
      "consumer-key",
      says: "lower-case",
      advises: "capitals"
    ),
    .variable(
      consumer,
      "SIMULATE",
      "a consumer key that is cut",
      "consumer-key",
      says: "8 letters",
      advises: "nine capital letters"
    ),
    .variable(
      consumer,
      "\"SIMULATED\"",
      "a consumer key in quotation marks",
      "consumer-key",
      says: "quotation marks",
      advises: "remove them"
    ),
    .variable(
      consumer,
      "TESTCONS",
      "the test consumer in the wrong realm",
      "realm",
      says: "not test_realm",
      advises: "IBIND_OAUTH1A_REALM=test_realm"
    ),
    .variable(
      "IBIND_OAUTH1A_REALM",
      "test_realm",
      "the test realm for a key of one's own",
      "realm",
      says: "not limited_poa",
      advises: "leave IBIND_OAUTH1A_REALM away"
    ),
    .variable(
      token,
      nil,
      "no access token",
      "access-token",
      says: "missing",
      advises: "Access Token"
    ),
    Broken(
      "token and secret swapped",
      "access-token",
      says: "looks like the access token secret",
      advises: "exchange IBIND_OAUTH1A_ACCESS_TOKEN"
    ) { setUp in
      (setUp.environment[token], setUp.environment[secret]) = (
        setUp.environment[secret], setUp.environment[token]
      )
    },
    .variable(
      token,
      "8d1f0c27ab",
      "an access token that is cut",
      "access-token",
      .warning,
      says: "10 characters",
      advises: "20 hexadecimal digits"
    ),
    Broken(
      "a secret that is cut",
      "access-token-secret",
      says: "cut, or no base64",
      advises: "the whole base64 text"
    ) { setUp in
      setUp.environment[secret]?.removeLast(20)
      setUp.environment[secret]? += "*"
    },
    Broken(
      "a secret of another key",
      "keys-together",
      says: "does not open the access token secret: it was generated again",
      advises: "newest token and secret"
    ) { setUp in
      let other = try PrivateKey(generating: .rsa(bits: 2048))
      let text = try PublicKey(pem: other.publicPEM()).encrypt([1, 2, 3])
      setUp.environment[secret] = Base64.encode(text)
    },
    .variable(
      "IBIND_OAUTH1A_CONSUMERKEY",
      "SIMULATED",
      "a variable that is spelt wrong",
      "variables",
      .warning,
      says: "nobody reads IBIND_OAUTH1A_CONSUMERKEY",
      advises: "did you mean IBIND_OAUTH1A_CONSUMER_KEY?"
    ),
    .variable(
      "IBIND_USE_OAUTH",
      nil,
      "OAuth not switched on",
      "oauth",
      .warning,
      says: "not switched on",
      advises: "IBIND_USE_OAUTH=True"
    ),
    .variable(
      "IBIND_USE_OAUTH",
      "perhaps",
      "a switch that is neither on nor off",
      "configuration",
      says: "IBIND_USE_OAUTH",
      advises: "True or False"
    ),
    .variable(
      "IBIND_OAUTH1A_REST_URL",
      "api.ibkr.com",
      "an address without its scheme",
      "configuration",
      says: "cannot be one",
      advises: "IBIND_OAUTH1A_REST_URL"
    ),
    .variable(
      "IBIND_OAUTH1A_REST_URL",
      "https://api.ibkr.com/",
      "an address without its path",
      "configuration",
      .warning,
      says: "does not end in /v1/api",
      advises: "https://api.ibkr.com/v1/api"
    ),
    .variable(
      "IBIND_OAUTH1A_REST_URL",
      "http://api.ibkr.com/v1/api/",
      "OAuth without encryption",
      "configuration",
      says: "shows the token to everybody",
      advises: "https://"
    ),
    .variable(
      "IBIND_CACERT",
      "/no/such/ca.pem",
      "a CA file that is not there",
      "configuration",
      says: "/no/such/ca.pem",
      advises: "IBIND_CACERT"
    ),
  ]

  static let primes: [Broken] = [
    .variable(prime, nil, "no prime", "dh-prime", says: "missing", advises: "asn1parse"),
    Broken("a prime with colons", "dh-prime", says: "colons", advises: "remove") { setUp in
      let digits = Array(SetUp.prime)
      setUp.environment[prime] = stride(from: 0, to: digits.count, by: 2)
        .map { String(digits[$0..<$0 + 2]) }.joined(separator: ":")
    },
    .variable(prime, "0x" + SetUp.prime, "a prime with 0x", "dh-prime", says: "0x", advises: "0x"),
    .variable(
      prime,
      "-----BEGIN DH PARAMETERS-----\nMIIBCAKCAQEA\n-----END DH PARAMETERS-----",
      "parameters in PEM",
      "dh-prime",
      says: "PEM",
      advises: "asn1parse"
    ),
    .variable(
      prime,
      "keys/dhparam.pem",
      "a file in place of the prime",
      "dh-prime",
      says: "file's name",
      advises: "asn1parse"
    ),
    .variable(
      prime,
      String(SetUp.prime.dropLast(2)),
      "a prime without its last digits",
      "dh-prime",
      says: "2040 bits, not 2048: digits are missing",
      advises: "copy it again"
    ),
    .variable(
      prime,
      "fe" + SetUp.prime.dropFirst(2),
      "a prime with a digit mistyped",
      "dh-prime",
      says: "no prime number",
      advises: "copy it again"
    ),
    .variable(
      prime,
      SetUp.prime.dropLast() + "e",
      "an even prime",
      "dh-prime",
      says: "even",
      advises: "copy it again"
    ),
    .variable(
      prime,
      String(repeating: "7", count: 617),
      "a prime in decimal",
      "dh-prime",
      says: "decimal",
      advises: "hexadecimal"
    ),
    .variable(
      "IBIND_OAUTH1A_DH_GENERATOR",
      "5",
      "another generator",
      "dh-generator",
      says: "not 2",
      advises: "generator 2"
    ),
  ]

  static let keys: [Broken] = [
    Broken(
      "swapped keys",
      "keys-together",
      says: "they are swapped",
      advises: "exchange IBIND_OAUTH1A_ENCRYPTION_KEY_FP"
    ) { setUp in
      (setUp.environment[signatureFile], setUp.environment[encryptionFile]) = (
        setUp.environment[encryptionFile], setUp.environment[signatureFile]
      )
    },
    Broken(
      "one key for both",
      "keys-together",
      says: "is the signature key too",
      advises: "two different files"
    ) { $0.environment[signatureFile] = $0.environment[encryptionFile] },
    .variable(
      signatureFile,
      nil,
      "no signature key",
      "signature-key",
      says: "missing",
      advises: "IBIND_OAUTH1A_SIGNATURE_KEY_FP"
    ),
    .variable(
      signatureFile,
      "/no/such.pem",
      "a key file that is not there",
      "signature-key",
      says: "/no/such.pem",
      advises: "IBIND_OAUTH1A_SIGNATURE_KEY_FP"
    ),
    Broken(
      "the public half of a key",
      "signature-key",
      says: "public half",
      advises: "private_signature.pem"
    ) { try $0.write(SetUp.Keys.shared?.signature.publicPEM() ?? "", to: "private_signature.pem") },
    Broken(
      "a key with a passphrase",
      "encryption-key",
      says: "passphrase",
      advises: "openssl pkey"
    ) {
      try $0.write(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIFLTBX\n-----END ENCRYPTED PRIVATE KEY-----\n",
        to: "private_encryption.pem"
      )
    },
    Broken(
      "the parameters in place of a key",
      "encryption-key",
      says: "Diffie-Hellman parameters",
      advises: "name private_encryption.pem"
    ) {
      try $0.write(
        "-----BEGIN DH PARAMETERS-----\nMIIBCAKCAQEA\n-----END DH PARAMETERS-----\n",
        to: "private_encryption.pem"
      )
    },
    Broken(
      "a key that is cut",
      "signature-key",
      says: "its END line is missing",
      advises: "restore private_signature.pem"
    ) {
      let pem = try SetUp.Keys.shared?.signature.privatePEM() ?? ""
      try $0.write(String(pem.dropLast(200)), to: "private_signature.pem")
    },
    Broken(
      "a key that is damaged",
      "signature-key",
      says: "damaged",
      advises: "restore private_signature.pem"
    ) {
      try $0.write(
        "-----BEGIN PRIVATE KEY-----\nAAAAAAAA\n-----END PRIVATE KEY-----\n",
        to: "private_signature.pem"
      )
    },
    Broken("a key of a curve", "signature-key", says: "no RSA key", advises: "RSA keys") {
      try $0.write(PrivateKey(generating: .p256).privatePEM(), to: "private_signature.pem")
    },
    Broken(
      "a key that is too small",
      "signature-key",
      .warning,
      says: "1024 bits",
      advises: "ibkr auth setup"
    ) {
      try $0.write(
        PrivateKey(generating: .rsa(bits: 1024)).privatePEM(),
        to: "private_signature.pem"
      )
    },
    Broken(
      "a key that others can read",
      "signature-key",
      .warning,
      says: "mode 644",
      advises: "chmod 600 "
    ) {
      try $0.write(
        SetUp.Keys.shared?.signature.privatePEM() ?? "",
        to: "private_signature.pem",
        mode: 0o644
      )
    },
  ]

  @Test(arguments: names + primes + keys)
  func `A set-up that is broken is found out`(broken: Broken) throws {
    let setUp = try SetUp()
    try broken.spoil(setUp)
    var diagnosis = Diagnosis()
    if broken.check != "dh-prime" { diagnosis.reviewPrime = { _ in nil } }
    _ = diagnosis.examineConfiguration(environment: setUp.environment)
    let found = diagnosis.checks.first { $0.outcome != .passed && $0.outcome != .skipped }
    let check = try #require(found, "nothing was found")
    #expect(check.name == broken.check, "\(check)")
    #expect(check.outcome == broken.outcome, "\(check)")
    #expect(check.finding.contains(broken.says), "\(check)")
    #expect(check.remedy?.contains(broken.advises) == true, "\(check)")
    #expect(check.area == .configuration)
    #expect((diagnosis.failure == nil) == (broken.outcome == .warning))
    // What is secret is not told, however wrong it is.
    let text = diagnosis.checks.map(\.description).joined(separator: "\n")
    for secret in [SetUp.Keys.shared?.token, SetUp.Keys.shared?.secret, SetUp.prime, "MIIBCAKC"] {
      #expect(!text.contains(secret ?? "?"))
    }
  }

  @Test func `A set-up that is right is called right`() throws {
    let setUp = try SetUp()
    var diagnosis = Diagnosis()
    let configuration = diagnosis.examineConfiguration(environment: setUp.environment)
    #expect(diagnosis.checks.allSatisfy { $0.outcome == .passed })
    #expect(
      diagnosis.checks.map(\.name) == [
        "configuration", "consumer-key", "access-token", "access-token-secret", "realm",
        "dh-prime", "dh-generator", "signature-key", "encryption-key", "keys-together",
      ]
    )
    #expect(configuration?.oauth?.consumerKey == "SIMULATED")
  }

  @Test func `A gateway needs no keys`() {
    var diagnosis = Diagnosis()
    let configuration = diagnosis.examineConfiguration(environment: ["IBIND_LOG_LEVEL": "INFO"])
    #expect(diagnosis.checks.map(\.name) == ["configuration"])
    #expect(diagnosis.failure == nil)
    #expect(configuration?.oauth == nil)
  }

  @Test func `Checks are reported as they are made`() {
    let reported = Reports()
    var diagnosis = Diagnosis { check in reported.add(check) }
    _ = diagnosis.examineConfiguration(environment: ["IBIND_USE_OAUTH": "True"])
    #expect(reported.all == diagnosis.checks)
    #expect(diagnosis.failure?.name == "consumer-key")
  }
}
