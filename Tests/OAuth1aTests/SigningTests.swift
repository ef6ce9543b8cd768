// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import JSON
import OAuth1a
import Testing

@Suite struct SigningTests {
  @Test(arguments: Vectors.list("hmac"))
  func signsRequestsAsIBindDoes(vector: Vector) throws {
    let inputs = try #require(vector.value["inputs"])
    let url = try vector.text("inputs", "signed_url")
    let inURL = url.contains("?")
    // Where the vector signs the query inside the URL, the parts have to be taken from there.
    let parts = url.split(separator: "?").map(String.init)
    let pairs = inURL ? parts[1].split(separator: "&").map { $0.split(separator: "=") } : []
    let query =
      inURL
      ? pairs.map { OAuthParameter(String($0[0]), String($0[1])) }
      : (inputs["request_params"]?.members ?? []).map {
        OAuthParameter($0.key, $0.value.string ?? "")
      }
    let token = LiveSessionToken(
      key: Secret(bytes: try Base64.decode(try vector.text("inputs", "live_session_token_base64"))),
      expiration: 0,
      consumerKey: try vector.text("inputs", "consumer_key"),
      accessToken: Secret(try vector.text("inputs", "access_token")),
      realm: try vector.text("inputs", "realm")
    )
    let stamp = RequestStamp(
      nonce: try vector.text("inputs", "oauth_nonce"),
      timestamp: try #require(inputs["oauth_timestamp"]?.int.map(Int64.init))
    )
    let signing: LiveSessionToken.QuerySigning = inURL ? .inURL : .inParameters
    let method = try vector.text("inputs", "method")
    let base = token.base(
      method: method,
      url: parts[0],
      query: query,
      signing: signing,
      stamp: stamp
    )
    #expect(base.parameterString == (try vector.text("parameter_string")))
    #expect(base.text == (try vector.text("base_string")))
    #expect(try token.signature(of: base) == (try vector.text("signature_base64")))
    let header = try token.authorization(
      method: method,
      url: parts[0],
      query: query,
      signing: signing,
      stamp: stamp
    )
    #expect(header == (try vector.text("authorization_header")))
    if query.isEmpty { return }
    let unsigned = token.base(
      method: method,
      url: parts[0],
      query: query,
      signing: .omitted,
      stamp: stamp
    )
    #expect(!unsigned.text.contains(query[0].name))
  }

  @Test func sortsByBytesWhatSwiftTakesForTheSameText() {
    // "é" of one scalar and of two: equal to `==`, but two names with an order of their own.
    let base = SignatureBase(
      method: "GET",
      url: "https://api.ibkr.com",
      parameters: [OAuthParameter("\u{e9}", "1"), OAuthParameter("e\u{301}", "2")]
    )
    #expect(Array(base.parameterString.utf8) == Array("e\u{301}=2&\u{e9}=1".utf8))
  }

  @Test(arguments: Vectors.list("third_party"))
  func signsTheThirdPartysRequests(vector: Vector) throws {
    let keys = Vector(value: try #require(Vectors.all["keys"]))
    let key = try PrivateKey(pem: try keys.text("signature", "pem_pkcs8"))
    func parameter(_ name: String) throws -> String {
      try vector.text("inputs", "parameters", name)
    }
    let stamp = RequestStamp(
      nonce: try parameter("oauth_nonce"),
      timestamp: try #require(Int64(try parameter("oauth_timestamp")))
    )
    let url = try vector.text("inputs", "url")
    let request =
      url.hasSuffix("request_token")
      ? try ThirdPartyRequest.requestToken(
        url: url,
        consumerKey: try parameter("oauth_consumer_key"),
        realm: try vector.text("inputs", "realm"),
        callback: try parameter("oauth_callback"),
        key: key,
        stamp: stamp
      )
      : try ThirdPartyRequest.accessToken(
        url: url,
        consumerKey: try parameter("oauth_consumer_key"),
        realm: try vector.text("inputs", "realm"),
        callback: try parameter("oauth_callback"),
        requestToken: Secret(try parameter("oauth_token")),
        verifier: Secret(try parameter("oauth_verifier")),
        key: key,
        stamp: stamp
      )
    #expect(request.base.parameterString == (try vector.text("parameter_string")))
    #expect(request.base.text == (try vector.text("base_string")))
    #expect(request.authorization == (try vector.text("authorization_header")))
    let signature = try Base64.decode(try vector.text("signature_base64"))
    let publicKey = try PublicKey(pem: try keys.text("signature", "public_pem"))
    #expect(publicKey.accepts(signature: signature, of: Array(request.base.text.utf8)))
  }

  @Test(arguments: [
    ("live_session_token", 8), ("hmac", 9), ("third_party", 3), ("byte_array", 21),
    ("percent_encoding", 23),
  ])
  func theVectorsAreAllThere(list: String, count: Int) {
    #expect(Vectors.list(list).count == count)
  }

  @Test(arguments: Vectors.list("byte_array"))
  func writesNumbersAsJavaDoes(vector: Vector) throws {
    let number = try UnsignedInteger(hexadecimal: try vector.text("value_hex"))
    #expect(number.bitCount == vector.value["bit_length"]?.int)
    #expect(Hexadecimal.encode(number.twosComplementBytes) == (try vector.text("bytes_hex")))
  }

  @Test(arguments: Vectors.list("percent_encoding"))
  func encodesAsQuotePlusDoes(vector: Vector) throws {
    let input = try vector.text("input")
    let encoded = try vector.text("quote_plus")
    #expect(PercentEncoding.quotePlus(input) == encoded)
    #expect(PercentEncoding.unquotePlus(encoded) == input)
  }

  @Test(arguments: ["%", "%4", "%zz", "a%", "%+1", "%ff"])
  func refusesBrokenEscapes(text: String) {
    #expect(PercentEncoding.unquotePlus(text) == nil)
  }

  @Test func readsItsOwnHeaders() throws {
    for list in ["live_session_token", "hmac", "third_party"] {
      for vector in Vectors.list(list) {
        let header =
          try list == "live_session_token"
          ? vector.text("request", "authorization_header") : vector.text("authorization_header")
        let parameters = try AuthorizationHeader.parameters(of: header)
        let signature = try #require(parameters["oauth_signature"])
        #expect(PercentEncoding.unquotePlus(signature).map { !$0.contains("%") } == true)
        #expect(parameters["realm"]?.isEmpty == false)
      }
    }
  }

  @Test(
    arguments: [
      "", "OAuth", "Basic abc", "OAuth a", "OAuth a=b", "OAuth a=\"b\", a=\"c\"", "OAuth a=\"",
      "OAuth =\"x\"", "OAuth a=\"b\",",
    ]
  )
  func refusesWhatIsNoHeader(text: String) {
    #expect(throws: OAuth1aError.self) { try AuthorizationHeader.parameters(of: text) }
  }

  @Test func noncesAreLettersAndDigitsAndNeverTheSame() throws {
    let nonces = try (0..<200).map { _ in try RequestStamp.fresh(at: 1).nonce }
    #expect(Set(nonces).count == nonces.count)
    #expect(nonces.allSatisfy { $0.count == 16 && $0.allSatisfy { $0.isLetter || $0.isNumber } })
    // 3,200 characters out of 62: each is there unless the draw is badly skewed.
    #expect(Set(nonces.joined()).count == 62)
  }
}

@Suite struct CredentialsTests {
  @Test(arguments: [
    ("consumer", OAuth1aError.Code.invalidConsumerKey), ("token", .invalidSecret),
    ("secret", .invalidSecret), ("swapped", .invalidSecret), ("encryption", .invalidKey),
    ("signature", .invalidKey), ("prime", .invalidPrime), ("evenPrime", .invalidPrime),
    ("generator", .invalidPrime), ("realm", .malformedHeader), ("curve", .invalidKey),
  ])
  func namesThePartThatIsWrong(part: String, code: OAuth1aError.Code) throws {
    let vector = try #require(Vectors.list("live_session_token").first)
    let keys = Vector(value: try #require(Vectors.all["keys"]))
    let encryption = try keys.text("encryption", "pem_pkcs8")
    let signature = try keys.text("signature", "pem_pkcs1")
    let prime = try vector.text("config", "dh_prime_hex")
    let curve = try PrivateKey(generating: .p256).privatePEM()
    let error = #expect(throws: OAuth1aError.self) {
      try OAuth1aCredentials(
        consumerKey: part == "consumer" ? "lower case" : "TESTVECTR",
        accessToken: Secret(part == "token" ? "a\"b" : "8d1f0c27ab5e94630b7a"),
        accessTokenSecret: Secret(
          part == "secret" ? "no base64" : try vector.text("config", "access_token_secret")
        ),
        encryptionKeyPEM: Secret(
          part == "swapped" ? signature : part == "encryption" ? "" : encryption
        ),
        signatureKeyPEM: Secret(
          part == "signature" ? "x" : part == "curve" ? curve : signature
        ),
        primeHexadecimal: part == "prime"
          ? "not a prime" : part == "evenPrime" ? prime.dropLast() + "0" : prime,
        generator: part == "generator" ? 0 : 2,
        realm: part == "realm" ? "a\r\nb" : "limited_poa"
      )
    }
    #expect(error?.code == code)
    #expect(error?.description.contains("8d1f0c27") == false)
  }
}
