// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL
import Flow

/// What all TLS connections of one policy share: trust, credentials, and sessions to resume.
///
/// TLS 1.2 and 1.3, no renegotiation, no compression, OpenSSL's own choice of ciphers.
///
/// `@unchecked Sendable`: the `SSL_CTX` is not changed after `init`, and OpenSSL guards its
/// reference count and its caches; the sessions are behind a lock.
package final class TLSContext: @unchecked Sendable {
  /// Which end of the connection this is.
  package enum Role: Sendable {
    /// Connects, and checks the server.
    case client(TrustPolicy)
    /// Accepts; asks for a client's certificate signed by these authorities (PEM) if there are any.
    case server(clientAuthorities: String?)
  }

  let pointer: OpaquePointer
  let role: Role
  private let sessions = Locked<[String: ResumableSession]>([:])

  /// A gateway is one host; more than a few would be a mistake and not a use.
  private static let maximumSessions = 16

  /// Makes a context for connecting.
  ///
  /// - Parameters:
  ///   - trust: What makes a server trustworthy.
  ///   - credentials: Shown to servers that ask for a certificate.
  /// - Throws: `TLSError` with the code `configuration` for unusable files, keys or certificates.
  package convenience init(
    client trust: TrustPolicy,
    credentials: TLSCredentials? = nil
  ) throws(TLSError) {
    try self.init(role: .client(trust), credentials: credentials)
  }

  /// Makes a context for accepting.
  ///
  /// - Parameters:
  ///   - credentials: What is shown to clients.
  ///   - clientAuthorities: If given, a client must show a certificate that one of these (PEM)
  ///     has signed.
  /// - Throws: `TLSError` with the code `configuration` for unusable keys or certificates.
  package convenience init(
    server credentials: TLSCredentials,
    clientAuthorities: String? = nil
  ) throws(TLSError) {
    try self.init(role: .server(clientAuthorities: clientAuthorities), credentials: credentials)
  }

  private init(role: Role, credentials: TLSCredentials?) throws(TLSError) {
    ERR_clear_error()
    let method =
      switch role {
      case .client: TLS_client_method()
      case .server: TLS_server_method()
      }
    guard let pointer = SSL_CTX_new(method) else { throw Self.misconfigured("no TLS context") }
    self.pointer = pointer
    self.role = role
    guard copenssl_set_minimum_version_1_2(pointer) == 1 else {
      throw Self.misconfigured("TLS 1.2 is not available")
    }
    copenssl_set_modes(pointer)
    // One recv(2) for several records instead of two for each; beyond the second-level cache a
    // larger buffer costs more than it saves.
    SSL_CTX_set_default_read_buffer_len(pointer, 128 << 10)
    if let credentials { try use(credentials) }
    switch role {
    case .client(let trust):
      try apply(trust)
      copenssl_set_client_session_cache(pointer)
    case .server(let authorities?):
      try addAuthorities(pem: authorities)
      SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    case .server(nil):
      break
    }
  }

  deinit { SSL_CTX_free(pointer) }

  // MARK: Trust and credentials

  private func apply(_ trust: TrustPolicy) throws(TLSError) {
    SSL_CTX_set_verify(pointer, trust.verifiesChain ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)
    switch trust.rule {
    case .system:
      guard SSL_CTX_set_default_verify_paths(pointer) == 1 else {
        throw Self.misconfigured("the system's root certificates cannot be read")
      }
    case .authoritiesFile(let file):
      guard SSL_CTX_load_verify_file(pointer, file) == 1 else {
        throw Self.misconfigured("no certificates can be read from \(file)")
      }
      trustWhatIsNamed()
    case .authorities(let pem):
      try addAuthorities(pem: pem)
      trustWhatIsNamed()
    case .pinned, .insecure:
      break
    }
  }

  /// Lets a chain end at any certificate that the user has named, root or not, as curl does:
  /// whoever names an intermediate or the server's own certificate wants to trust exactly that.
  private func trustWhatIsNamed() {
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(pointer), UInt(X509_V_FLAG_PARTIAL_CHAIN))
  }

  private func addAuthorities(pem: String) throws(TLSError) {
    let store = SSL_CTX_get_cert_store(pointer)
    try PEMCertificates(pem: pem).forEach { (_, certificate) throws(TLSError) in
      guard X509_STORE_add_cert(store, certificate) == 1 else {
        throw Self.misconfigured("a certificate authority cannot be used")
      }
    }
  }

  private func use(_ credentials: TLSCredentials) throws(TLSError) {
    try PEMCertificates(pem: credentials.chainPEM).forEach {
      (index, certificate) throws(TLSError) in
      let accepted =
        index == 0
        ? SSL_CTX_use_certificate(pointer, certificate)
        : copenssl_add_chain_certificate(pointer, certificate)
      guard accepted == 1 else {
        throw Self.misconfigured("certificate \(index + 1) of the chain cannot be used")
      }
    }
    let read = withMemory(credentials.keyPEM) { memory in
      // Without a callback OpenSSL would ask for the passphrase on the terminal.
      PEM_read_bio_PrivateKey(memory, nil, { _, _, _, _ in -1 }, nil)
    }
    guard let key = read else {
      throw Self.misconfigured("the private key cannot be read; it must have no passphrase")
    }
    defer { EVP_PKEY_free(key) }
    guard SSL_CTX_use_PrivateKey(pointer, key) == 1, SSL_CTX_check_private_key(pointer) == 1 else {
      throw Self.misconfigured("the private key is not the certificate's")
    }
  }

  static func misconfigured(_ what: String) -> TLSError {
    TLSError(.configuration, "\(what): \(OpenSSLReasons.drain().text)")
  }

  // MARK: Resumption (RFC 8446 section 2.2)

  /// Keeps the session of a connection that was verified, for the next one to the same host.
  func keep(session: OpaquePointer, for host: String) {
    let session = ResumableSession(owning: session)
    sessions.withLock { kept in
      if kept.count >= Self.maximumSessions, kept[host] == nil { kept.removeAll() }
      kept[host] = session
    }
  }

  /// Takes the session for a host; a ticket is used only once (RFC 8446 appendix C.4).
  func takeSession(for host: String) -> ResumableSession? {
    sessions.withLock { $0.removeValue(forKey: host) }
  }
}

/// One `SSL_SESSION`, owned.
///
/// `@unchecked Sendable`: it is never changed here, and OpenSSL guards its reference count.
final class ResumableSession: @unchecked Sendable {
  let pointer: OpaquePointer
  init(owning pointer: OpaquePointer) { self.pointer = pointer }
  deinit { SSL_SESSION_free(pointer) }
}

/// Certificates read from PEM text, owned.
private final class PEMCertificates {
  private var pointers: [OpaquePointer] = []

  init(pem: String) throws(TLSError) {
    withMemory(pem) { memory in
      while let certificate = PEM_read_bio_X509(memory, nil, nil, nil) {
        pointers.append(certificate)
      }
    }
    // The end of the text is reported as an error too.
    let reasons = OpenSSLReasons.drain()
    if pointers.isEmpty {
      throw TLSError(.configuration, "no certificate in the PEM text: \(reasons.text)")
    }
  }

  deinit { for pointer in pointers { X509_free(pointer) } }

  /// Calls the body for each certificate, and keeps them alive meanwhile: nothing else does once
  /// the last mention of this object is behind.
  func forEach(_ body: (Int, OpaquePointer) throws(TLSError) -> Void) throws(TLSError) {
    try withExtendedLifetime(self) { () throws(TLSError) in
      for (index, pointer) in pointers.enumerated() { try body(index, pointer) }
    }
  }
}

/// Lends text to OpenSSL as a BIO, which points into the text and so must not outlive it.
private func withMemory<Result>(_ text: String, _ body: (OpaquePointer?) -> Result) -> Result {
  text.withCString { bytes in
    let memory = BIO_new_mem_buf(bytes, -1)
    defer { BIO_free(memory) }
    return body(memory)
  }
}
