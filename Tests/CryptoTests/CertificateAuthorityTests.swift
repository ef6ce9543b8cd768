// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL
import Crypto
import Testing

/// Verifies with OpenSSL what the authority made, as a client would: chain, purpose, names, dates.
@Suite struct CertificateAuthorityTests {
  static let now: Int64 = 1_790_000_000

  @Test func issuesForTheMachinesOwnNames() throws {
    let authority = try CertificateAuthority(name: "Test CA", now: Self.now)
    let identity = try authority.issue(CertificateRequest(now: Self.now))
    for host in ["localhost", "127.0.0.1", "::1"] {
      #expect(try verify(identity, trusting: authority.certificatePEM, host: host) == X509_V_OK)
    }
    #expect(
      try verify(identity, trusting: authority.certificatePEM, host: "example.org")
        == X509_V_ERR_HOSTNAME_MISMATCH
    )
    #expect(
      try verify(identity, trusting: authority.certificatePEM, host: "127.0.0.2")
        == X509_V_ERR_IP_ADDRESS_MISMATCH
    )
    #expect(identity.pin.hasPrefix("sha256/"))
    #expect(identity.pin.utf8.count == 7 + 44)
  }

  @Test func honoursTheDates() throws {
    let authority = try CertificateAuthority(name: "Test CA", now: Self.now)
    var request = CertificateRequest(now: Self.now)
    request.notAfter = Self.now - 1
    #expect(
      try verify(authority.issue(request), trusting: authority.certificatePEM)
        == X509_V_ERR_CERT_HAS_EXPIRED
    )
    request.notBefore = Self.now + 60
    request.notAfter = Self.now + 120
    #expect(
      try verify(authority.issue(request), trusting: authority.certificatePEM)
        == X509_V_ERR_CERT_NOT_YET_VALID
    )
  }

  @Test func chainsOverAnIntermediate() throws {
    let root = try CertificateAuthority(name: "Root", now: Self.now)
    let middle = try root.intermediate(name: "Middle", now: Self.now)
    let identity = try middle.issue(CertificateRequest(now: Self.now))
    #expect(identity.certificateChainPEM.components(of: "BEGIN CERTIFICATE") == 2)
    #expect(try verify(identity, trusting: root.certificatePEM) == X509_V_OK)
    let other = try CertificateAuthority(name: "Other", now: Self.now)
    #expect(try verify(identity, trusting: other.certificatePEM) != X509_V_OK)
  }

  @Test func signsItself() throws {
    let identity = try CertificateAuthority.selfSigned(CertificateRequest(now: Self.now))
    #expect(try verify(identity, trusting: identity.certificateChainPEM) == X509_V_OK)
    let authority = try CertificateAuthority(name: "Test CA", now: Self.now)
    #expect(
      try verify(identity, trusting: authority.certificatePEM)
        == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
    )
  }

  @Test func makesWeakKeysWhenAsked() throws {
    let authority = try CertificateAuthority(name: "Test CA", now: Self.now)
    var request = CertificateRequest(now: Self.now)
    request.key = .rsa(bits: 1024)
    let identity = try authority.issue(request)
    let key = try PrivateKey(pem: identity.privateKeyPEM)
    #expect(key.isRSA)
    #expect(key.bitCount == 1024)
    request.key = .rsa(bits: 256)
    #expect(throws: CryptoError.self) { try authority.issue(request) }
  }

  @Test(arguments: ["", "a,b", "@file", "a b", "a\nb", "999.1.1.1"])
  func refusesWhatIsNoName(name: String) throws {
    let authority = try CertificateAuthority(name: "Test CA", now: Self.now)
    var request = CertificateRequest(now: Self.now)
    request.ipAddresses = [name]
    let error = #expect(throws: CryptoError.self) { try authority.issue(request) }
    #expect(error?.code == .invalidInput)
    #expect(ERR_peek_error() == 0)
  }

  @Test(arguments: ["", "no PEM", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
  func refusesWhatIsNoKey(text: String) {
    let error = #expect(throws: CryptoError.self) { try PrivateKey(pem: text) }
    #expect(error?.code == .invalidKey)
  }

  private func verify(
    _ identity: TLSIdentity,
    trusting root: String,
    host: String = "localhost"
  ) throws -> Int32 {
    let store = X509_STORE_new()
    defer { X509_STORE_free(store) }
    for certificate in try certificates(root) {
      X509_STORE_add_cert(store, certificate)
      X509_free(certificate)
    }
    let chain = try certificates(identity.certificateChainPEM)
    let untrusted = OPENSSL_sk_new_null()
    defer {
      OPENSSL_sk_free(untrusted)
      for certificate in chain { X509_free(certificate) }
    }
    for certificate in chain.dropFirst() {
      OPENSSL_sk_push(untrusted, UnsafeRawPointer(certificate))
    }
    let context = X509_STORE_CTX_new()
    defer { X509_STORE_CTX_free(context) }
    try #require(X509_STORE_CTX_init(context, store, chain.first, untrusted) == 1)
    let parameters = X509_STORE_CTX_get0_param(context)
    X509_VERIFY_PARAM_set_time(parameters, Int(Self.now))
    X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_X509_STRICT))
    X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER)
    if X509_VERIFY_PARAM_set1_ip_asc(parameters, host) != 1 {
      ERR_clear_error()
      X509_VERIFY_PARAM_set1_host(parameters, host, 0)
    }
    X509_verify_cert(context)
    let result = X509_STORE_CTX_get_error(context)
    ERR_clear_error()
    return result
  }

  private func certificates(_ pem: String) throws -> [OpaquePointer] {
    let memory = try #require(BIO_new(BIO_s_mem()))
    defer {
      BIO_free(memory)
      ERR_clear_error()
    }
    BIO_puts(memory, pem)
    var certificates: [OpaquePointer] = []
    while let certificate = PEM_read_bio_X509(memory, nil, nil, nil) {
      certificates.append(certificate)
    }
    return certificates
  }
}

extension String {
  /// How often `part` occurs.
  fileprivate func components(of part: String) -> Int {
    var count = 0
    var rest = self[...]
    while let range = rest.firstRange(of: part) {
      count += 1
      rest = rest[range.upperBound...]
    }
    return count
  }
}
