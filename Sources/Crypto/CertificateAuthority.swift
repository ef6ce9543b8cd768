// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A certificate authority made at run time, for servers that are their own trust root.
///
/// The simulator makes one at each start and writes its certificate where a client can find it; a
/// test makes one per case, so that no private key has to lie in the repository.
package struct CertificateAuthority: Sendable {
  /// This authority's own certificate, what a client has to trust.
  package let certificatePEM: String
  /// The certificates between an issued one and the root, nearest first; without the root.
  private let intermediates: [String]
  private let key: PrivateKey

  /// Makes a root: a P-256 key and a certificate signed with it.
  ///
  /// - Parameters:
  ///   - name: The common name, shown by tools.
  ///   - now: Unix time in seconds.
  ///   - days: How long it is valid. It is valid from one hour before `now`, because the client's
  ///     clock may be behind.
  /// - Throws: `CryptoError` if OpenSSL fails.
  package init(name: String, now: Int64, days: Int = 30) throws(CryptoError) {
    let key = try PrivateKey(generating: .p256)
    self.init(
      certificatePEM: try Certificate.selfSigned(
        Self.request(name: name, now: now, days: days),
        key: key
      ).pem(),
      intermediates: [],
      key: key
    )
  }

  private init(certificatePEM: String, intermediates: [String], key: PrivateKey) {
    self.certificatePEM = certificatePEM
    self.intermediates = intermediates
    self.key = key
  }

  /// Makes an authority whose certificate this one signs.
  ///
  /// - Parameters: As for the root.
  /// - Returns: An authority whose identities carry its own certificate in their chain.
  /// - Throws: `CryptoError` if OpenSSL fails.
  package func intermediate(
    name: String,
    now: Int64,
    days: Int = 30
  ) throws(CryptoError) -> CertificateAuthority {
    let key = try PrivateKey(generating: .p256)
    let pem = try Certificate.signed(
      Self.request(name: name, now: now, days: days),
      publicKey: key,
      by: self.key,
      issuer: Certificate(pem: certificatePEM)
    ).pem()
    return CertificateAuthority(
      certificatePEM: pem,
      intermediates: [pem] + intermediates,
      key: key
    )
  }

  /// Makes a key and signs a certificate for it.
  ///
  /// - Parameter request: Names, dates and kind of key.
  /// - Returns: The certificate with its chain, and the key.
  /// - Throws: `CryptoError` with `invalidInput` for a name that is none, or if OpenSSL fails.
  package func issue(_ request: CertificateRequest) throws(CryptoError) -> TLSIdentity {
    let key = try PrivateKey(generating: request.key)
    let certificate = try Certificate.signed(
      request,
      publicKey: key,
      by: self.key,
      issuer: Certificate(pem: certificatePEM)
    )
    return try TLSIdentity(certificate, chain: intermediates, key: key)
  }

  /// Makes a key and a certificate signed with that very key, as the gateway's own is.
  ///
  /// - Parameter request: Names, dates and kind of key.
  /// - Returns: The certificate and the key.
  /// - Throws: `CryptoError` with `invalidInput` for a name that is none, or if OpenSSL fails.
  package static func selfSigned(
    _ request: CertificateRequest
  ) throws(CryptoError) -> TLSIdentity {
    let key = try PrivateKey(generating: request.key)
    let certificate = try Certificate.selfSigned(request, key: key)
    return try TLSIdentity(certificate, chain: [], key: key)
  }

  private static func request(name: String, now: Int64, days: Int) -> CertificateRequest {
    var request = CertificateRequest(now: now, days: days)
    request.commonName = name
    request.dnsNames = []
    request.ipAddresses = []
    request.isAuthority = true
    return request
  }
}

/// What a new certificate shall say.
package struct CertificateRequest: Sendable {
  /// The subject's common name.
  ///
  /// For people: clients compare the alternative names only (RFC 9525 section 2).
  package var commonName = "localhost"
  /// Host names it is for; a leading `*.` is allowed.
  package var dnsNames = ["localhost"]
  /// IPv4 and IPv6 addresses it is for.
  package var ipAddresses = ["127.0.0.1", "::1"]
  /// Unix time in seconds from which it is valid.
  package var notBefore: Int64
  /// Unix time in seconds until which it is valid.
  package var notAfter: Int64
  /// The kind of key made for it.
  package var key = PrivateKey.Kind.p256
  /// What its holder may do with it.
  package var purpose = Purpose.server
  /// Whether its key may sign certificates.
  var isAuthority = false

  /// What the holder of a certificate may do with it (RFC 5280 section 4.2.1.12).
  package enum Purpose: String, Sendable {
    /// Answer as a TLS server.
    case server = "serverAuth"
    /// Log in as a TLS client.
    case client = "clientAuth"
  }

  /// A request for this machine's own names, valid from an hour before `now`.
  ///
  /// - Parameters:
  ///   - now: Unix time in seconds.
  ///   - days: How long it is valid after `now`.
  package init(now: Int64, days: Int = 30) {
    notBefore = now - 3600
    notAfter = now + Int64(days) * 86_400
  }
}

/// A certificate with its chain and its private key, as a TLS server is given them.
package struct TLSIdentity: Sendable {
  /// The certificate, then the intermediates; PEM, leaf first.
  package let certificateChainPEM: String
  /// The private key as PKCS#8 PEM, a secret.
  package let privateKeyPEM: String
  /// The SHA-256 of the SubjectPublicKeyInfo, what a pin names.
  package let publicKeyDigest: [UInt8]

  init(_ certificate: borrowing Certificate, chain: [String], key: PrivateKey) throws(CryptoError) {
    certificateChainPEM = ([try certificate.pem()] + chain).joined()
    privateKeyPEM = try key.privatePEM()
    publicKeyDigest = try key.publicKeyDigest()
  }

  /// The pin in the form of `--pin`: `sha256/` and the digest in base64.
  package var pin: String { "sha256/" + Base64.encode(publicKeyDigest) }
}
