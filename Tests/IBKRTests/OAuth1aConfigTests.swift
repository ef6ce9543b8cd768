// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import HTTP1
import OAuth1a
import Testing

@testable import IBKR

@Suite struct OAuth1aConfigTests {
  @Test func nothingSetMeansTheDefaultsOfIBind() throws {
    let oauth = try OAuth1aConfig(environment: [:])
    #expect(oauth.restURL == "https://api.ibkr.com/v1/api/")
    #expect(oauth.webSocketURL == "wss://api.ibkr.com/v1/api/ws")
    #expect(oauth.liveSessionTokenEndpoint == "oauth/live_session_token")
    #expect(oauth.dhGenerator == 2)
    #expect(oauth.realm == "limited_poa")
    #expect(oauth.initOAuth && oauth.initBrokerageSession)
    #expect(oauth.maintainOAuth && oauth.shutdownOAuth)
    #expect(try IbkrConfiguration(environment: [:]).oauth == nil)
  }

  @Test func everyVariableOfIBindIsRead() throws {
    let configuration = try IbkrConfiguration(environment: [
      "IBIND_USE_OAUTH": "True",
      "IBIND_TICKLER_INTERVAL": "30",
      "IBIND_ACCOUNT_ID": "U7654321",
      "IBIND_OAUTH1A_REST_URL": "https://1.api.ibkr.com/v1/api/",
      "IBIND_OAUTH1A_WS_URL": "wss://1.api.ibkr.com/v1/api/ws",
      "IBIND_OAUTH1A_LIVE_SESSION_TOKEN_ENDPOINT": "oauth/other",
      "IBIND_OAUTH1A_ACCESS_TOKEN": "token",
      "IBIND_OAUTH1A_ACCESS_TOKEN_SECRET": "secret",
      "IBIND_OAUTH1A_CONSUMER_KEY": "ABCDEFGHI",
      "IBIND_OAUTH1A_DH_PRIME": "f1",
      "IBIND_OAUTH1A_DH_GENERATOR": "5",
      "IBIND_OAUTH1A_ENCRYPTION_KEY_FP": "/keys/encryption.pem",
      "IBIND_OAUTH1A_ENCRYPTION_KEY": "one",
      "IBIND_OAUTH1A_SIGNATURE_KEY_FP": "/keys/signature.pem",
      "IBIND_OAUTH1A_REALM": "test_realm",
      "IBIND_INIT_OAUTH": "no", "IBIND_INIT_BROKERAGE_SESSION": "f",
      "IBIND_MAINTAIN_OAUTH": "off", "IBIND_SHUTDOWN_OAUTH": "0",
    ])
    let oauth = try #require(configuration.oauth)
    #expect(configuration.ticklerInterval == .seconds(30))
    #expect(configuration.accountID == Secret("U7654321"))
    #expect(configuration.effectiveRESTURL == "https://1.api.ibkr.com/v1/api/")
    #expect(oauth.webSocketURL == "wss://1.api.ibkr.com/v1/api/ws")
    #expect(oauth.liveSessionTokenEndpoint == "oauth/other")
    #expect(oauth.accessToken == Secret("token"))
    #expect(oauth.accessTokenSecret == Secret("secret"))
    #expect(oauth.consumerKey == "ABCDEFGHI")
    #expect(oauth.dhPrime == "f1")
    #expect(oauth.dhGenerator == 5)
    #expect(oauth.encryptionKey == Secret("one"))
    #expect(oauth.encryptionKeyFile == "/keys/encryption.pem")
    #expect(oauth.signatureKey == nil)
    #expect(oauth.signatureKeyFile == "/keys/signature.pem")
    #expect(oauth.realm == "test_realm")
    #expect(!oauth.initOAuth && !oauth.initBrokerageSession)
    #expect(!oauth.maintainOAuth && !oauth.shutdownOAuth)
  }

  @Test(
    arguments: [
      ("y", true), ("YES", true), ("t", true), ("True", true), ("on", true), ("1", true),
      ("n", false), ("No", false), ("f", false), ("FALSE", false), ("off", false), ("0", false),
      ("", false),
    ]
  )
  func wordsForYesAndNo(_ word: String, _ isOn: Bool) throws {
    #expect((try IbkrConfiguration(environment: ["IBIND_USE_OAUTH": word]).oauth != nil) == isOn)
  }

  @Test func theArgumentComesBeforeTheVariable() throws {
    let on = ["IBIND_USE_OAUTH": "True"]
    #expect(try IbkrConfiguration(environment: on, usesOAuth: false).oauth == nil)
    #expect(try IbkrConfiguration(environment: [:], usesOAuth: true).oauth != nil)
  }

  @Test(
    arguments: [
      "IBIND_INIT_OAUTH", "IBIND_INIT_BROKERAGE_SESSION", "IBIND_MAINTAIN_OAUTH",
      "IBIND_SHUTDOWN_OAUTH", "IBIND_OAUTH1A_DH_GENERATOR", "IBKR_OAUTH1A_SIGN_QUERY",
      "IBKR_OAUTH1A_ACCESS_TOKEN_FD", "IBKR_OAUTH1A_SIGNATURE_KEY_FD",
    ]
  )
  func whatCannotBeReadNamesItsVariable(_ name: String) {
    let error = #expect(throws: IbkrError.self) {
      try OAuth1aConfig(environment: [name: "perhaps"])
    }
    #expect(error?.code == .invalidConfiguration)
    #expect(error?.description.contains(name) == true)
  }

  @Test func everythingThatIsMissingIsNamedAtOnce() throws {
    var configuration = IbkrConfiguration()
    configuration.oauth = OAuth1aConfig()
    let error = #expect(throws: IbkrError.self) { try IbkrClient(configuration: configuration) }
    #expect(error?.code == .invalidConfiguration)
    for name in SecretName.allCases {
      #expect(error?.description.contains(name.variable) == true)
    }
    #expect(error?.description.contains("IBIND_OAUTH1A_SIGNATURE_KEY_FP") == true)
  }

  @Test func theCertificateIsVerifiedWhateverTheGatewaysVariableSays() throws {
    let environment = ["IBIND_CACERT": "False"]
    #expect(try IbkrConfiguration(environment: environment).trust == .insecure)
    #expect(try IbkrConfiguration(environment: environment, usesOAuth: true).trust == .system)
  }

  @Test(
    arguments: [
      (nil, nil, "wss://api.ibkr.com", "/v1/api/ws?oauth_token=PLANTED"),
      ("wss://other.example/ws", nil, "wss://other.example", "/ws?oauth_token=PLANTED"),
      (nil, "wss://1.api.ibkr.com/ws?a=b", "wss://1.api.ibkr.com", "/ws?a=b&oauth_token=PLANTED"),
    ] as [(String?, String?, String, String)]
  )
  func theSocketsAddressHasTheTokenAndHidesIt(
    _ all: String?,
    _ own: String?,
    _ origin: String,
    _ target: String
  ) throws {
    var configuration = IbkrConfiguration()
    var oauth = OAuth1aConfig()
    oauth.accessToken = Secret("PLANTED")
    oauth.accessTokenSecret = Secret("x")
    oauth.consumerKey = "x"
    oauth.dhPrime = "x"
    oauth.signatureKey = Secret("x")
    oauth.encryptionKey = Secret("x")
    if let own { oauth.webSocketURL = own }
    configuration.webSocketURL = all
    configuration.oauth = oauth
    let url = try IbkrClient(configuration: configuration).webSocketURL
    #expect(url.origin == origin)
    #expect(url.requestTarget == target)
    #expect(!"\(url)".contains("PLANTED"))
    var text = ""
    dump(configuration, to: &text)
    #expect(!text.contains("PLANTED"))
  }

  @Test func theCookieIsTheBareSessionAndTheClientNamesItself() throws {
    var configuration = IbkrConfiguration()
    configuration.oauth = try OAuth1aConfig(environment: try VirtualServer.environment())
    let headers = try IbkrClient(configuration: configuration)
      .webSocketHeaders(session: Secret("d21b8cf5ebc8ea01c6ce37c8125ec83f"))
    #expect(headers.map(\.name) == ["Cookie", "User-Agent"])
    #expect(headers.map(\.value) == ["api=d21b8cf5ebc8ea01c6ce37c8125ec83f", "ClientPortalGW/1"])
  }
}
