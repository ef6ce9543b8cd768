// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL
import Glibc

/// One TLS connection, which never waits: every call says whether it is done or what it wants.
///
/// Owns OpenSSL's `SSL` and its BIO; the descriptor belongs to the caller and must outlive it. All
/// calls come from one thread at a time, because OpenSSL's error queue belongs to the thread.
package final class TLSSession {
  /// How far a call came.
  package enum Progress: Sendable, Equatable {
    /// It is done, with so many bytes.
    case done(Int)
    /// It must be tried again when the descriptor can be read.
    case wantsRead
    /// It must be tried again when the descriptor can be written.
    case wantsWrite
    /// The peer has ended the connection; `clean` if it said so with a `close_notify` alert.
    case end(clean: Bool)
    /// The socket failed, with this `errno`.
    case failed(errno: Int32)
  }

  private let context: TLSContext
  private let host: String
  private let ssl: OpaquePointer
  /// nil over memory; otherwise the socket's BIO, which `ssl` owns.
  private let socket: OpaquePointer?
  private var refusal: CertificateRefusal?
  private var isVerified = false

  /// Starts the client's side over a connected, non-blocking socket.
  ///
  /// - Parameters:
  ///   - context: A client's context.
  ///   - host: The name or address that the certificate must be for; sent as SNI if it is a name.
  ///   - descriptor: The socket.
  /// - Throws: `TLSError` if OpenSSL is out of memory or the name cannot be one.
  package convenience init(
    client context: TLSContext,
    host: String,
    descriptor: Int32
  ) throws(TLSError) {
    try self.init(context: context, host: host, bio: Self.socketBIO(descriptor), isSocket: true)
  }

  /// Starts the server's side over a connected, non-blocking socket.
  ///
  /// - Parameters:
  ///   - context: A server's context.
  ///   - descriptor: The socket.
  /// - Throws: `TLSError` if OpenSSL is out of memory.
  package convenience init(server context: TLSContext, descriptor: Int32) throws(TLSError) {
    try self.init(context: context, host: "", bio: Self.socketBIO(descriptor), isSocket: true)
  }

  /// Makes both ends of a connection in memory.
  ///
  /// - Parameters:
  ///   - client: The client's context.
  ///   - host: As for a socket.
  ///   - server: The server's context.
  ///   - capacity: How many bytes may be on the way in each direction.
  /// - Returns: The two ends. What one writes the other can read at once.
  /// - Throws: `TLSError` if OpenSSL is out of memory or the name cannot be one.
  package static func inMemory(
    client: TLSContext,
    host: String,
    server: TLSContext,
    capacity: Int = 64 << 10
  ) throws(TLSError) -> (client: TLSSession, server: TLSSession) {
    var near: OpaquePointer?
    var far: OpaquePointer?
    guard BIO_new_bio_pair(&near, capacity, &far, capacity) == 1, let near, let far else {
      throw TLSContext.misconfigured("no memory for a connection")
    }
    return (
      try TLSSession(context: client, host: host, bio: near, isSocket: false),
      try TLSSession(context: server, host: "", bio: far, isSocket: false)
    )
  }

  private init(
    context: TLSContext,
    host: String,
    bio: OpaquePointer,
    isSocket: Bool
  ) throws(TLSError) {
    ERR_clear_error()
    guard let ssl = SSL_new(context.pointer) else {
      BIO_free(bio)
      throw TLSContext.misconfigured("no TLS connection")
    }
    self.context = context
    self.host = host
    self.ssl = ssl
    socket = isSocket ? bio : nil
    SSL_set_bio(ssl, bio, bio)
    switch context.role {
    case .server:
      SSL_set_accept_state(ssl)
    case .client(let trust):
      SSL_set_connect_state(ssl)
      try name(verifying: trust.verifiesChain)
      if let session = context.takeSession(for: host) { SSL_set_session(ssl, session.pointer) }
    }
  }

  deinit {
    // Without this OpenSSL takes the session of a broken connection for one that must not be
    // resumed; a reconnect is exactly when resumption helps.
    if isVerified { SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN) }
    keepSession()
    SSL_free(ssl)
  }

  private static func socketBIO(_ descriptor: Int32) throws(TLSError) -> OpaquePointer {
    guard let method, let bio = copenssl_socket_new(method, descriptor) else {
      throw TLSContext.misconfigured("no memory for a connection")
    }
    return bio
  }

  /// Made once and never changed, as OpenSSL demands of a method table.
  nonisolated(unsafe) private static let method = copenssl_socket_method()

  // MARK: Names (RFC 9525)

  private func name(verifying: Bool) throws(TLSError) {
    let address = Self.isAddress(host)
    // RFC 6066 section 3: no addresses in SNI, and no trailing dot.
    let name = host.hasSuffix(".") ? String(host.dropLast()) : host
    if !address, copenssl_set_server_name(ssl, name) != 1 {
      throw TLSContext.misconfigured("\(host) cannot be a server's name")
    }
    guard verifying else { return }
    // The names in the certificate count and the old common name does not; `f*.example` is no
    // wildcard.
    let flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
    SSL_set_hostflags(ssl, UInt32(flags))
    let accepted =
      address
      ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) : SSL_set1_host(ssl, name)
    guard accepted == 1 else {
      throw TLSContext.misconfigured("\(host) cannot be a server's name")
    }
    SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
    SSL_set_verify(ssl, SSL_VERIFY_PEER) { accepted, store in
      // Called inside `SSL_do_handshake`, so the session that was put there is alive.
      if accepted == 0, let store,
        let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
        let data = SSL_get_ex_data(OpaquePointer(ssl), 0)
      {
        let session = Unmanaged<TLSSession>.fromOpaque(data).takeUnretainedValue()
        if session.refusal == nil { session.refusal = CertificateRefusal(store: store) }
      }
      return accepted
    }
  }

  private static func isAddress(_ host: String) -> Bool {
    var four = in_addr()
    var six = in6_addr()
    return inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, host, &six) == 1
  }

  // MARK: Calls

  /// Goes on with the handshake.
  ///
  /// - Returns: `done(0)` when it is complete and the server is trusted; otherwise what it waits
  ///   for.
  /// - Throws: `TLSError` that names what is wrong.
  package func handshake() throws(TLSError) -> Progress {
    ERR_clear_error()
    let result = SSL_do_handshake(ssl)
    if result == 1 {
      try checkPin()
      isVerified = true
      return .done(0)
    }
    return try progress(after: result)
  }

  /// Reads what has been decrypted, at most one record.
  ///
  /// - Parameter buffer: Where to; not empty.
  /// - Returns: How many bytes, or what it waits for. Only after `wantsRead` will the descriptor
  ///   tell of more.
  /// - Throws: `TLSError` if the peer breaks the protocol or sends an alert.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(TLSError) -> Progress {
    ERR_clear_error()
    var count = 0
    let result = SSL_read_ex(ssl, buffer.baseAddress, buffer.count, &count)
    return result == 1 ? .done(count) : try progress(after: result)
  }

  /// Looks for an alert that says why the peer has hung up; consumes no data.
  ///
  /// - Throws: `TLSError` with the alert, if there is one.
  package func checkForAlert() throws(TLSError) {
    ERR_clear_error()
    var byte: UInt8 = 0
    var count = 0
    let result = SSL_peek_ex(ssl, &byte, 1, &count)
    if result != 1 { _ = try progress(after: result) }
  }

  /// Encrypts and writes, perhaps only the first part.
  ///
  /// - Parameter buffer: What; not empty. After a `wants…` the next call must begin with the same
  ///   bytes.
  /// - Returns: How many bytes were taken, or what it waits for.
  /// - Throws: `TLSError` if the connection is broken.
  package func write(_ buffer: UnsafeRawBufferPointer) throws(TLSError) -> Progress {
    ERR_clear_error()
    var count = 0
    let result = SSL_write_ex(ssl, buffer.baseAddress, buffer.count, &count)
    return result == 1 ? .done(count) : try progress(after: result)
  }

  /// Says that nothing more will be written (`close_notify`).
  ///
  /// - Returns: `done` when it is on its way, or what it waits for.
  package func shutdown() -> Progress {
    ERR_clear_error()
    let result = SSL_shutdown(ssl)
    if result >= 0 { return .done(0) }
    // Ending a connection that has failed before is no news.
    return (try? progress(after: result)) ?? .end(clean: false)
  }

  // MARK: What is known of the connection

  /// The version and cipher in words, for people: `TLSv1.3 TLS_AES_256_GCM_SHA384`.
  package var summary: String {
    let cipher = SSL_get_current_cipher(ssl).map { String(cString: SSL_CIPHER_get_name($0)) }
    return "\(String(cString: SSL_get_version(ssl))) \(cipher ?? "")"
  }

  /// Whether the handshake went on from an earlier connection.
  package var isResumed: Bool { SSL_session_reused(ssl) == 1 }

  /// The pin of the peer's public key.
  package var peerPin: PublicKeyPin? {
    SSL_get0_peer_certificate(ssl).flatMap { PublicKeyPin(certificate: $0) }
  }

  // MARK: Inside

  private func checkPin() throws(TLSError) {
    guard case .client(let trust) = context.role, case .pinned(let pins) = trust.rule else {
      return
    }
    guard let seen = peerPin else {
      throw TLSError(.pinMismatch, "\(host) showed no certificate, so there is no key to compare")
    }
    guard pins.contains(seen) else {
      throw TLSError(
        .pinMismatch,
        "\(host) has the public key \(seen), which is not the pinned one; if the server's "
          + "certificate was changed on purpose, pin the new key",
        pin: seen
      )
    }
  }

  private func progress(after result: Int32) throws(TLSError) -> Progress {
    let reason = SSL_get_error(ssl, result)
    switch reason {
    case SSL_ERROR_WANT_READ: return .wantsRead
    case SSL_ERROR_WANT_WRITE: return .wantsWrite
    case SSL_ERROR_ZERO_RETURN: return .end(clean: true)
    default: break
    }
    let reasons = OpenSSLReasons.drain()
    if let refusal { throw refusal.error(host: host) }
    if Int32(truncatingIfNeeded: reasons.first) == SSL_R_UNEXPECTED_EOF_WHILE_READING {
      return .end(clean: false)
    }
    if reason == SSL_ERROR_SYSCALL {
      let code = socket.map { copenssl_socket_error($0) } ?? 0
      return code == 0 ? .end(clean: false) : .failed(errno: code)
    }
    throw reasons.connectionError
  }

  private func keepSession() {
    guard isVerified, case .client = context.role, let session = SSL_get1_session(ssl) else {
      return
    }
    guard SSL_SESSION_is_resumable(session) == 1 else {
      SSL_SESSION_free(session)
      return
    }
    context.keep(session: session, for: host)
  }
}
