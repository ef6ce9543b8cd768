// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL

/// Why a TLS connection could not be made or went on no longer.
///
/// Holds nothing of what was sent: only names, dates and reasons.
public struct TLSError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of failure, for programs that react to one of them.
  public struct Code: Sendable, Hashable {
    private enum Value {
      case expired, notYetValid, wrongHost, selfSigned, unknownIssuer, pinMismatch, weakKey
      case badCertificate, oldProtocol, notTLS, certificateRequired, alert, configuration, failed
    }

    private let value: Value
    private init(_ value: Value) { self.value = value }

    /// A certificate's time is over.
    public static let certificateExpired = Code(.expired)
    /// A certificate's time has not begun.
    public static let certificateNotYetValid = Code(.notYetValid)
    /// The certificate is for other names or addresses.
    public static let hostMismatch = Code(.wrongHost)
    /// The certificate is signed by itself, and not one of the trusted roots.
    public static let selfSigned = Code(.selfSigned)
    /// No trusted root is behind the certificate, or an intermediate is missing.
    public static let unknownIssuer = Code(.unknownIssuer)
    /// The public key is none of the pinned ones.
    public static let pinMismatch = Code(.pinMismatch)
    /// A key or signature algorithm that is too weak to mean anything.
    public static let weakKey = Code(.weakKey)
    /// The certificate is damaged or not allowed for this purpose.
    public static let badCertificate = Code(.badCertificate)
    /// The server offers only TLS 1.1 or older.
    public static let protocolTooOld = Code(.oldProtocol)
    /// What answered does not speak TLS.
    public static let notTLS = Code(.notTLS)
    /// The server wants a certificate of ours.
    public static let clientCertificateRequired = Code(.certificateRequired)
    /// The peer broke off with an alert of its own.
    public static let alert = Code(.alert)
    /// A certificate, key or file of ours cannot be used.
    public static let configuration = Code(.configuration)
    /// Anything else.
    public static let failed = Code(.failed)
  }

  /// The kind of failure.
  public let code: Code

  /// What happened and what to do.
  public let description: String

  /// The pin of the key that the server showed, where a certificate was the reason.
  public let pin: PublicKeyPin?

  init(_ code: Code, _ description: String, pin: PublicKeyPin? = nil) {
    self.code = code
    self.description = description
    self.pin = pin
  }
}

/// The reasons that this thread's OpenSSL queue holds.
///
/// The queue belongs to the thread: it must be emptied right after the call that failed, or the
/// next connection would be told of this one's failure.
struct OpenSSLReasons {
  private(set) var first = 0
  private(set) var text = "no reason given"

  static func drain() -> OpenSSLReasons {
    var reasons = OpenSSLReasons()
    var texts: [String] = []
    while true {
      let error = ERR_get_error()
      guard error != 0 else { break }
      if texts.isEmpty, copenssl_error_is_tls(error) != 0 {
        reasons.first = Int(copenssl_error_reason(error))
      }
      // The first entries name the cause, and a damaged input may leave dozens behind them.
      if texts.count < 3 {
        texts.append(ERR_reason_error_string(error).map { String(cString: $0) } ?? "\(error)")
      }
    }
    if !texts.isEmpty { reasons.text = texts.joined(separator: "; ") }
    return reasons
  }

  /// The error that the reasons mean, for a connection on which no certificate was refused.
  var connectionError: TLSError {
    switch Int32(truncatingIfNeeded: first) {
    case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_PACKET_LENGTH_TOO_LONG,
      SSL_R_UNEXPECTED_MESSAGE, SSL_R_BAD_RECORD_TYPE:
      TLSError(
        .notTLS,
        "what answered does not speak TLS (\(text)); check the port, or use http:// or ws:// if "
          + "the server is meant to be without TLS"
      )
    case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION,
      SSL_R_VERSION_TOO_LOW, SSL_R_NO_PROTOCOLS_AVAILABLE:
      TLSError(
        .protocolTooOld,
        "the two sides have no TLS version in common; at least TLS 1.2 is needed (\(text))"
      )
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      TLSError(.clientCertificateRequired, "the server wants a client certificate (\(text))")
    case SSL_R_DH_KEY_TOO_SMALL, SSL_R_EE_KEY_TOO_SMALL, SSL_R_CA_KEY_TOO_SMALL,
      SSL_R_CA_MD_TOO_WEAK, SSL_R_BAD_ECPOINT:
      TLSError(.weakKey, "the server's key is too weak (\(text))")
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      TLSError(
        .alert,
        "the peer broke off: \(text); no cipher suits both sides, or it wants a client certificate"
      )
    case 1_000...1_255:
      // SSL_AD_REASON_OFFSET and the alert's number: what the peer said (RFC 8446 section 6).
      TLSError(.alert, "the peer broke off: \(text)")
    default:
      TLSError(.failed, "TLS failed: \(text)")
    }
  }
}
