// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import JSON
import OAuth1a
import Testing

@Suite struct LiveSessionTokenTests {
  static func credentials(_ vector: Vector, pem form: String) throws -> OAuth1aCredentials {
    let keys = Vector(value: try #require(Vectors.all["keys"]))
    return try OAuth1aCredentials(
      consumerKey: try vector.text("config", "consumer_key"),
      accessToken: Secret(try vector.text("config", "access_token")),
      accessTokenSecret: Secret(try vector.text("config", "access_token_secret")),
      encryptionKeyPEM: Secret(try keys.text("encryption", form)),
      signatureKeyPEM: Secret(try keys.text("signature", form)),
      primeHexadecimal: try vector.text("config", "dh_prime_hex"),
      generator: try #require(vector.value["config"]?["dh_generator"]?.int),
      realm: try vector.text("config", "realm")
    )
  }

  static func request(_ vector: Vector, pem: String) throws -> LiveSessionTokenRequest {
    try LiveSessionTokenRequest(
      try credentials(vector, pem: pem),
      url: try vector.text("request", "url"),
      stamp: RequestStamp(
        nonce: try vector.text("fixed", "oauth_nonce"),
        timestamp: try #require(Int64(try vector.text("fixed", "oauth_timestamp")))
      ),
      exponent: Secret(
        bytes: try UnsignedInteger(hexadecimal: try vector.text("fixed", "dh_random_hex")).bytes
      )
    )
  }

  @Test(arguments: Vectors.list("live_session_token"), ["pem_pkcs8", "pem_pkcs1"])
  func matchesIBindStepByStep(vector: Vector, pem: String) throws {
    let request = try Self.request(vector, pem: pem)
    let parameters = request.base.parameters.map { [$0.name, $0.value] }
    let expected = vector.value["request"]?["parameters_sorted"]?.elements?
      .map { ($0.elements ?? []).compactMap(\.string) }
    #expect(parameters == expected)
    #expect(request.base.parameterString == (try vector.text("request", "parameter_string")))
    #expect(request.base.text == (try vector.text("request", "base_string")))
    #expect(request.base.text.hasPrefix(try vector.text("request", "prepend") + "POST&"))
    #expect(
      Hexadecimal.encode(try Digest.of(Array(request.base.text.utf8), .sha256))
        == (try vector.text("request", "base_string_sha256_hex"))
    )
    #expect(request.authorization == (try vector.text("request", "authorization_header")))

    let token = try request.token(
      response: try vector.text("response", "diffie_hellman_response"),
      signature: try vector.text("response", "live_session_token_signature"),
      expiration: 1_714_669_316_823
    )
    #expect(
      Base64.encode(token.key.exposedBytes)
        == (try vector.text("result", "live_session_token_base64"))
    )
    #expect(
      Hexadecimal.encode(try token.validationHash())
        == (try vector.text("result", "validation_hash_hex"))
    )
    #expect(token.expiration == 1_714_669_316_823)
  }

  @Test(arguments: Vectors.list("live_session_token"))
  func acceptsTheResponseInCapitals(vector: Vector) throws {
    let token = try Self.request(vector, pem: "pem_pkcs8").token(
      response: try vector.text("response", "diffie_hellman_response").uppercased(),
      signature: try vector.text("response", "live_session_token_signature").uppercased(),
      expiration: 0
    )
    #expect(
      Base64.encode(token.key.exposedBytes)
        == (try vector.text("result", "live_session_token_base64"))
    )
  }

  @Test(arguments: Vectors.list("live_session_token"))
  func theServersSideComputesTheSame(vector: Vector) throws {
    let prime = try UnsignedInteger(hexadecimal: try vector.text("config", "dh_prime_hex"))
    let exponent = try UnsignedInteger(
      hexadecimal: try vector.text("fixed", "server_dh_private_hex")
    )
    let generator = UnsignedInteger(bytes: [2])
    #expect(
      try generator.raised(to: exponent, modulo: prime).hexadecimal
        == (try vector.text("response", "diffie_hellman_response"))
    )
    let challenge = try UnsignedInteger(
      hexadecimal: try vector.text("request", "diffie_hellman_challenge")
    )
    let shared = try challenge.raised(to: exponent, modulo: prime)
    #expect(shared.hexadecimal == (try vector.text("result", "shared_secret_hex_python")))
    #expect(
      Hexadecimal.encode(shared.twosComplementBytes)
        == (try vector.text("result", "shared_secret_bytes_hex"))
    )
  }

  @Test func refusesATokenThatDoesNotFitItsSignature() throws {
    let vector = try #require(Vectors.list("live_session_token").first)
    let request = try Self.request(vector, pem: "pem_pkcs8")
    let response = try vector.text("response", "diffie_hellman_response")
    for signature in ["", "zz", String(repeating: "0", count: 40)] {
      let error = #expect(throws: OAuth1aError.self) {
        try request.token(response: response, signature: signature, expiration: 0)
      }
      #expect(error?.code == .validationFailed)
    }
  }

  @Test func refusesNumbersThatGiveTheSecretAway() throws {
    let vector = try #require(Vectors.list("live_session_token").first)
    let request = try Self.request(vector, pem: "pem_pkcs8")
    let prime = try vector.text("config", "dh_prime_hex")
    let beforePrime = String(prime.dropLast()) + "e"
    for response in ["", "0", "00", "1", "xyz", prime, beforePrime, prime + "00"] {
      let error = #expect(throws: OAuth1aError.self) {
        try request.token(response: response, signature: "", expiration: 0)
      }
      #expect(error?.code == .invalidResponse, "\(response)")
    }
  }

  @Test func printsNoSecret() throws {
    let vector = try #require(Vectors.list("live_session_token").first)
    let request = try Self.request(vector, pem: "pem_pkcs8")
    var dumped = "\(request) \(String(reflecting: request)) \(request.base)"
    dump(request, to: &dumped)
    dump(try Self.credentials(vector, pem: "pem_pkcs8"), to: &dumped)
    #expect(!dumped.contains(try vector.text("request", "prepend")))
    #expect(!dumped.contains(try vector.text("config", "access_token")))
    #expect(!dumped.contains("PRIVATE KEY"))
  }
}
