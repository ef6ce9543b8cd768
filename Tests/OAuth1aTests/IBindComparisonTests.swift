// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Glibc
import JSON
import OAuth1a
import Testing

/// Answers to inputs from outside, one JSON object per line: `scripts/interop/oauth` makes them at
/// random and compares the answers with those of IBind's own functions.
@Suite struct IBindComparisonTests {
  static let inputs = getenv("IBKR_OAUTH_INPUTS").map { String(cString: $0) }
  static let answers = getenv("IBKR_OAUTH_ANSWERS").map { String(cString: $0) }

  @Test(.enabled(if: inputs != nil && answers != nil))
  func answersEachInput() throws {
    let lines = try #require(Self.inputs.flatMap { Vectors.contents(of: $0) })
      .split(separator: UInt8(ascii: "\n"))
    try #require(!lines.isEmpty)
    var output: [UInt8] = []
    for line in lines {
      let input = Vector(value: try JSONValue(parsing: Array(line)))
      let answer =
        try input.text("kind") == "request" ? try request(input) : try exchange(input)
      output += Array("{".utf8)
      for (index, (name, value)) in answer.enumerated() {
        if index > 0 { output += Array(",".utf8) }
        output.appendJSON(string: name)
        output += Array(":".utf8)
        output.appendJSON(string: value)
      }
      output += Array("}\n".utf8)
    }
    let path = try #require(Self.answers)
    let file = try #require(fopen(path, "w"))
    defer { fclose(file) }
    #expect(fwrite(output, 1, output.count, file) == output.count)
  }

  private func stamp(_ input: Vector) throws -> RequestStamp {
    RequestStamp(
      nonce: try input.text("nonce"),
      timestamp: Int64(try #require(input.value["timestamp"]?.int))
    )
  }

  /// A request after the first.
  private func request(_ input: Vector) throws -> [(String, String)] {
    let token = LiveSessionToken(
      key: Secret(bytes: try Base64.decode(try input.text("live_session_token"))),
      expiration: 0,
      consumerKey: try input.text("consumer_key"),
      accessToken: Secret(try input.text("access_token")),
      realm: try input.text("realm")
    )
    let query = (input.value["query"]?.elements ?? []).map { pair in
      OAuthParameter(pair[0]?.string ?? "", pair[1]?.string ?? "")
    }
    let method = try input.text("method")
    let url = try input.text("url")
    let stamp = try stamp(input)
    let base = token.base(
      method: method,
      url: url,
      query: query,
      signing: .inParameters,
      stamp: stamp
    )
    let authorization = try token.authorization(
      method: method,
      url: url,
      query: query,
      stamp: stamp
    )
    return [("base", base.text), ("authorization", authorization)]
  }

  /// The exchange for a live session token, both halves of it.
  private func exchange(_ input: Vector) throws -> [(String, String)] {
    let credentials = try OAuth1aCredentials(
      consumerKey: try input.text("consumer_key"),
      accessToken: Secret(try input.text("access_token")),
      accessTokenSecret: Secret(try input.text("access_token_secret")),
      encryptionKeyPEM: Secret(try input.text("encryption_key")),
      signatureKeyPEM: Secret(try input.text("signature_key")),
      primeHexadecimal: try input.text("prime"),
      realm: try input.text("realm")
    )
    let exponent = try UnsignedInteger(hexadecimal: try input.text("exponent"))
    let request = try LiveSessionTokenRequest(
      credentials,
      url: try input.text("url"),
      stamp: try stamp(input),
      exponent: Secret(bytes: exponent.bytes)
    )
    let token = try request.token(
      response: try input.text("response"),
      signature: try input.text("signature"),
      expiration: 0
    )
    return [
      ("authorization", request.authorization),
      ("token", Base64.encode(token.key.exposedBytes)),
    ]
  }
}
