// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL
import Glibc

/// An X.509 version 3 certificate (RFC 5280), owned.
struct Certificate: ~Copyable {
  let pointer: OpaquePointer

  private init() throws(CryptoError) {
    ERR_clear_error()
    guard let pointer = X509_new() else { throw .drainingQueue("certificate") }
    self.pointer = pointer
  }

  /// Reads the first certificate of a PEM text.
  init(pem: String) throws(CryptoError) {
    let memory = try MemoryBIO()
    try memory.write(pem)
    guard let pointer = PEM_read_bio_X509(memory.pointer, nil, nil, nil) else {
      throw .drainingQueue("no certificate in the PEM text", code: .invalidEncoding)
    }
    self.pointer = pointer
  }

  deinit { X509_free(pointer) }

  /// Writes the certificate as PEM.
  func pem() throws(CryptoError) -> String {
    let memory = try MemoryBIO()
    guard PEM_write_bio_X509(memory.pointer, pointer) == 1 else {
      throw .drainingQueue("certificate as PEM")
    }
    return memory.contents()
  }

  /// Makes and signs a certificate.
  ///
  /// - Parameters:
  ///   - request: What it says.
  ///   - publicKey: The key it is for.
  ///   - key: The issuer's key.
  ///   - issuer: The issuer's certificate.
  /// - Returns: The signed certificate.
  /// - Throws: `CryptoError` with `invalidInput` for a request that cannot be encoded.
  static func signed(
    _ request: CertificateRequest,
    publicKey: PrivateKey,
    by key: PrivateKey,
    issuer: borrowing Certificate
  ) throws(CryptoError) -> Certificate {
    let certificate = try unsigned(request, publicKey: publicKey)
    try certificate.finish(request, key: key, issuer: issuer.pointer)
    return certificate
  }

  /// Makes a certificate signed with its own key.
  static func selfSigned(
    _ request: CertificateRequest,
    key: PrivateKey
  ) throws(CryptoError) -> Certificate {
    let certificate = try unsigned(request, publicKey: key)
    try certificate.finish(request, key: key, issuer: certificate.pointer)
    return certificate
  }

  private static func unsigned(
    _ request: CertificateRequest,
    publicKey: PrivateKey
  ) throws(CryptoError) -> Certificate {
    let certificate = try Certificate()
    let pointer = certificate.pointer
    // RFC 5280 section 4.1.2.2: a positive integer of at most 20 octets; unpredictable, so that two
    // runs never issue the same issuer and serial.
    var serial = try SecureRandom.bytes(count: 16)
    serial[0] = serial[0] & 0x7f | 0x40
    let number = BN_bin2bn(serial, Int32(serial.count), nil)
    defer { BN_free(number) }
    guard
      number != nil,
      X509_set_version(pointer, 2) == 1,
      BN_to_ASN1_INTEGER(number, X509_get_serialNumber(pointer)) != nil,
      ASN1_TIME_set(X509_getm_notBefore(pointer), time_t(request.notBefore)) != nil,
      ASN1_TIME_set(X509_getm_notAfter(pointer), time_t(request.notAfter)) != nil,
      X509_NAME_add_entry_by_txt(
        X509_get_subject_name(pointer),
        "CN",
        MBSTRING_UTF8,
        Array(request.commonName.utf8),
        Int32(clamping: request.commonName.utf8.count),
        -1,
        0
      ) == 1,
      X509_set_pubkey(pointer, publicKey.pointer) == 1
    else { throw .drainingQueue("certificate for \(request.commonName)", code: .invalidInput) }
    return certificate
  }

  /// Adds what depends on the issuer, then the signature.
  private borrowing func finish(
    _ request: CertificateRequest,
    key: PrivateKey,
    issuer: OpaquePointer
  ) throws(CryptoError) {
    guard X509_set_issuer_name(pointer, X509_get_subject_name(issuer)) == 1 else {
      throw .drainingQueue("certificate issuer")
    }
    for (identifier, value) in try Self.extensions(request) {
      try add(identifier, value, issuer: issuer)
    }
    guard X509_sign(pointer, key.pointer, EVP_sha256()) > 0 else {
      throw .drainingQueue("certificate signature")
    }
  }

  private func add(_ identifier: Int32, _ value: String, issuer: OpaquePointer) throws(CryptoError)
  {
    var context = X509V3_CTX()
    X509V3_set_ctx(&context, issuer, pointer, nil, nil, 0)
    guard let added = X509V3_EXT_conf_nid(nil, &context, identifier, value) else {
      throw .drainingQueue("certificate extension \(value)", code: .invalidInput)
    }
    defer { X509_EXTENSION_free(added) }
    guard X509_add_ext(pointer, added, -1) == 1 else {
      throw .drainingQueue("certificate extension \(value)")
    }
  }

  /// The extensions that strict verifiers ask for, in the notation of OpenSSL's configuration.
  private static func extensions(
    _ request: CertificateRequest
  ) throws(CryptoError) -> [(Int32, String)] {
    // The subject's key identifier stands before the authority's, which copies it when both are
    // the same certificate.
    let identifiers = [
      (NID_subject_key_identifier, "hash"),
      (NID_authority_key_identifier, "keyid:always"),
    ]
    if request.isAuthority {
      return [
        (NID_basic_constraints, "critical,CA:TRUE"),
        (NID_key_usage, "critical,keyCertSign,cRLSign"),
      ] + identifiers
    }
    let keyEncipherment = if case .rsa = request.key { ",keyEncipherment" } else { "" }
    var extensions =
      [
        (NID_basic_constraints, "critical,CA:FALSE"),
        (NID_key_usage, "critical,digitalSignature" + keyEncipherment),
        (NID_ext_key_usage, request.purpose.rawValue),
      ] + identifiers
    let names = request.dnsNames.map { ("DNS:", $0) } + request.ipAddresses.map { ("IP:", $0) }
    // The notation separates by commas and reads files after `@`: only names that are names.
    let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:*")
    guard names.allSatisfy({ !$0.1.isEmpty && allowed.isSuperset(of: $0.1) }) else {
      throw CryptoError(.invalidInput, "a certificate's host name or address is none")
    }
    if !names.isEmpty {
      extensions.append((NID_subject_alt_name, names.map { $0 + $1 }.joined(separator: ",")))
    }
    return extensions
  }
}
