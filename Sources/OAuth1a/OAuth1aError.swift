// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import Crypto

/// Why OAuth 1.0a could not go on, with what to do about it.
///
/// Never holds a key, token or secret.
public struct OAuth1aError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of failure, for programs that react to one of them.
  public struct Code: Sendable, Hashable {
    private enum Value {
      case invalidConsumerKey, invalidKey, invalidSecret, invalidPrime, invalidResponse
      case validationFailed, malformedHeader, failed
    }
    private let value: Value
    private init(_ value: Value) { self.value = value }

    /// The consumer key has not the form of one.
    public static let invalidConsumerKey = Code(.invalidConsumerKey)
    /// A key file is no RSA key.
    public static let invalidKey = Code(.invalidKey)
    /// The access token secret is no base64, or the encryption key does not open it.
    public static let invalidSecret = Code(.invalidSecret)
    /// The Diffie-Hellman prime or generator cannot be one.
    public static let invalidPrime = Code(.invalidPrime)
    /// The server's part of the Diffie-Hellman exchange cannot be one.
    public static let invalidResponse = Code(.invalidResponse)
    /// The live session token does not fit the server's signature of it.
    public static let validationFailed = Code(.validationFailed)
    /// An `Authorization` header that is not OAuth's.
    public static let malformedHeader = Code(.malformedHeader)
    /// The cryptographic library failed.
    public static let failed = Code(.failed)
  }

  /// The kind of failure.
  public let code: Code
  private let text: String
  /// What the cryptographic library said, where it was the cause.
  public let underlying: CryptoError?

  init(_ code: Code, _ text: String, underlying: CryptoError? = nil) {
    self.code = code
    self.text = text
    self.underlying = underlying
  }

  /// What went wrong and what to do.
  public var description: String {
    underlying.map { "\(text) (\($0))" } ?? text
  }
}
