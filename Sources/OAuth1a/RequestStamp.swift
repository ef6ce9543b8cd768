// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto

/// What makes each attempt at a request another one: a nonce and the time.
package struct RequestStamp: Sendable, Hashable {
  /// 16 letters and digits, never used again.
  package let nonce: String
  /// Unix time in seconds.
  package let timestamp: Int64

  /// Takes both as they are, for tests and for servers.
  package init(nonce: String, timestamp: Int64) {
    self.nonce = nonce
    self.timestamp = timestamp
  }

  /// Draws a nonce.
  ///
  /// - Parameter timestamp: Unix time in seconds.
  /// - Returns: A stamp for one attempt.
  /// - Throws: `failed` if there are no random bytes.
  package static func fresh(at timestamp: Int64) throws(OAuth1aError) -> RequestStamp {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    var characters: [UInt8] = []
    while characters.count < 16 {
      // Bytes above the last whole multiple of 62 would favour the first letters.
      for byte in try random(count: 16) where byte < 248 && characters.count < 16 {
        characters.append(alphabet[Int(byte) % alphabet.count])
      }
    }
    return RequestStamp(nonce: String(decoding: characters, as: UTF8.self), timestamp: timestamp)
  }

  /// Random bytes for a Diffie-Hellman exponent or a nonce.
  package static func random(count: Int) throws(OAuth1aError) -> [UInt8] {
    do throws(CryptoError) {
      return try SecureRandom.bytes(count: count)
    } catch {
      throw OAuth1aError(.failed, "no random bytes", underlying: error)
    }
  }

  var parameters: [OAuthParameter] {
    [OAuthParameter("oauth_nonce", nonce), OAuthParameter("oauth_timestamp", "\(timestamp)")]
  }
}
