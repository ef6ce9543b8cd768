// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import OAuth1a

/// What a user of OAuth 1.0a has, and what the client does with it by itself.
///
/// The fields are IBind's, in Swift's spelling, with IBind's defaults; the variables from which
/// ``init(environment:)`` reads them stand at each. Secrets have other sources too: see
/// `SecretName`.
///
/// With all four switches on, which is the default, the first call that needs a session makes one:
/// a live session token is generated and checked, the Tickler and the shutdown handler start, and
/// the brokerage session is opened. Each step can be switched off and then be called by hand.
public struct OAuth1aConfig: Sendable {
  /// The base of all REST calls (`IBIND_OAUTH1A_REST_URL`).
  ///
  /// It replaces ``IbkrConfiguration/restURL``.
  public var restURL = "https://api.ibkr.com/v1/api/"

  /// The address of the socket, without its query (`IBIND_OAUTH1A_WS_URL`).
  ///
  /// ``IbkrConfiguration/webSocketURL`` comes before it, as `IBIND_WS_URL` does in IBind.
  public var webSocketURL = "wss://api.ibkr.com/v1/api/ws"

  /// The path of the call for a live session token, below ``restURL``
  /// (`IBIND_OAUTH1A_LIVE_SESSION_TOKEN_ENDPOINT`).
  public var liveSessionTokenEndpoint = "oauth/live_session_token"

  /// The access token (`IBIND_OAUTH1A_ACCESS_TOKEN`).
  public var accessToken: Secret?

  /// The access token secret, base64 (`IBIND_OAUTH1A_ACCESS_TOKEN_SECRET`).
  public var accessTokenSecret: Secret?

  /// The consumer key, nine capital letters (`IBIND_OAUTH1A_CONSUMER_KEY`).
  public var consumerKey: String?

  /// The Diffie-Hellman prime in hexadecimal (`IBIND_OAUTH1A_DH_PRIME`).
  public var dhPrime: String?

  /// The Diffie-Hellman generator (`IBIND_OAUTH1A_DH_GENERATOR`).
  public var dhGenerator = 2

  /// The key that decrypts the access token secret, PEM (`IBIND_OAUTH1A_ENCRYPTION_KEY`).
  ///
  /// It comes before ``encryptionKeyFile``.
  public var encryptionKey: Secret?

  /// The file of that key (`IBIND_OAUTH1A_ENCRYPTION_KEY_FP`).
  public var encryptionKeyFile: String?

  /// The key that signs, PEM (`IBIND_OAUTH1A_SIGNATURE_KEY`).
  ///
  /// It comes before ``signatureKeyFile``.
  public var signatureKey: Secret?

  /// The file of that key (`IBIND_OAUTH1A_SIGNATURE_KEY_FP`).
  public var signatureKeyFile: String?

  /// `limited_poa`, or `test_realm` with the consumer key `TESTCONS` (`IBIND_OAUTH1A_REALM`).
  public var realm = "limited_poa"

  /// Whether the first call that needs a session makes one (`IBIND_INIT_OAUTH`).
  ///
  /// Without it nothing below happens by itself either.
  public var initOAuth = true

  /// Whether the brokerage session is opened then (`IBIND_INIT_BROKERAGE_SESSION`).
  public var initBrokerageSession = true

  /// Whether the Tickler keeps the session alive (`IBIND_MAINTAIN_OAUTH`).
  public var maintainOAuth = true

  /// Whether the session is given back by SIGINT, SIGTERM and ``IbkrClient/close()``
  /// (`IBIND_SHUTDOWN_OAUTH`).
  public var shutdownOAuth = true

  /// Whether opening the brokerage session for the first time ends another one of the user's.
  ///
  /// IBind always does so; TWS, or another program with the same user name, is thrown out.
  public var competesAtStart = true

  /// Whether a query takes part in the signature (`IBKR_OAUTH1A_SIGN_QUERY`).
  ///
  /// IBKR documents that it does. IBind leaves it out, and the server takes that too (protocol
  /// reference 2.6).
  public var signsQuery = true

  /// A configuration without credentials; the rest has its defaults.
  public init() {}
}
