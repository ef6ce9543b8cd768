// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL

/// Why OpenSSL's verification refused a certificate, with the facts that help to mend it.
///
/// Taken inside the verification callback, because the certificates are gone after it.
struct CertificateRefusal {
  private let reason: Int32
  private let depth: Int
  private let subject: String
  private let issuer: String
  private let notBefore: String
  private let notAfter: String
  private let names: [String]
  private let pin: PublicKeyPin?

  /// Reads the facts from the store's context.
  ///
  /// - Parameter store: The `X509_STORE_CTX` of the callback.
  init(store: OpaquePointer) {
    reason = X509_STORE_CTX_get_error(store)
    depth = Int(X509_STORE_CTX_get_error_depth(store))
    let certificate = X509_STORE_CTX_get_current_cert(store)
    subject = certificate.map { Self.text(X509_get_subject_name($0)) } ?? "?"
    issuer = certificate.map { Self.text(X509_get_issuer_name($0)) } ?? "?"
    notBefore = certificate.map { Self.text(time: X509_get0_notBefore($0)) } ?? "?"
    notAfter = certificate.map { Self.text(time: X509_get0_notAfter($0)) } ?? "?"
    names = certificate.map(Self.names) ?? []
    pin = X509_STORE_CTX_get0_cert(store).flatMap { PublicKeyPin(certificate: $0) }
  }

  /// The error for the user.
  ///
  /// - Parameter host: The name or address that was asked for.
  /// - Returns: What is wrong, with the names and dates that show it.
  func error(host: String) -> TLSError {
    let whose = depth == 0 ? "the certificate of \(host)" : "the issuer's certificate (\(subject))"
    let hint = pin.map { "; the server's public key is \($0)" } ?? ""
    func error(_ code: TLSError.Code, _ text: String) -> TLSError {
      TLSError(code, text + hint, pin: pin)
    }
    switch reason {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return error(.certificateExpired, "\(whose) expired at \(notAfter)")
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return error(
        .certificateNotYetValid,
        "\(whose) is valid only from \(notBefore) (is this machine's clock right?)"
      )
    case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
      let list = names.isEmpty ? "no name at all" : names.joined(separator: ", ")
      return error(.hostMismatch, "\(whose) is not for \(host) but for \(list)")
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return error(.selfSigned, "\(whose) is self-signed and not among the trusted ones")
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return error(.unknownIssuer, "\(whose) leads to a root that is not trusted (\(subject))")
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
      return error(
        .unknownIssuer,
        "\(whose) is issued by \(issuer), which is not trusted here, or an intermediate "
          + "certificate is missing"
      )
    case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL, X509_V_ERR_CA_MD_TOO_WEAK:
      return error(.weakKey, "\(whose) is too weak: \(reasonText)")
    default:
      return error(.badCertificate, "\(whose) was refused: \(reasonText)")
    }
  }

  private var reasonText: String { String(cString: X509_verify_cert_error_string(Int(reason))) }

  private static func text(_ name: OpaquePointer?) -> String {
    written { copenssl_print_name($0, name) > 0 }
  }

  private static func text(time: UnsafePointer<ASN1_TIME>?) -> String {
    written { ASN1_TIME_print($0, time) == 1 }
  }

  /// The certificate's alternative names, as OpenSSL prints them (`DNS:localhost`).
  private static func names(of certificate: OpaquePointer) -> [String] {
    let index = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1)
    guard index >= 0, let found = X509_get_ext(certificate, index) else { return [] }
    let list = written { X509V3_EXT_print($0, found, 0, 0) == 1 }
    return list.split(separator: ",").prefix(20).map { $0.drop { $0 == " " } }.map(String.init)
  }

  /// What OpenSSL prints into memory, without control characters: it goes to somebody's terminal.
  private static func written(_ print: (OpaquePointer) -> Bool) -> String {
    guard let memory = BIO_new(BIO_s_mem()) else { return "?" }
    defer { BIO_free(memory) }
    guard print(memory) else { return "?" }
    var bytes = [UInt8](repeating: 0, count: 1_024)
    let count = Int(BIO_read(memory, &bytes, Int32(bytes.count)))
    return String(decoding: bytes.prefix(max(0, count)).filter { $0 >= 0x20 }, as: UTF8.self)
  }
}
