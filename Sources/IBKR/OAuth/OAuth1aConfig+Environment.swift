// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import OAuth1a

extension OAuth1aConfig {
  /// Reads the variables that IBind has, with IBind's meaning and defaults.
  ///
  /// Whether OAuth is used at all is not asked here: `IBIND_USE_OAUTH` belongs to
  /// ``IbkrConfiguration``. What is missing is told when a client is made.
  ///
  /// - Parameter environment: Names and values.
  /// - Throws: ``IbkrError`` with `invalidConfiguration` that names the variable.
  public init(environment: [String: String]) throws(IbkrError) {
    let reader = EnvironmentReader(variables: environment)
    if let url = reader.text("IBIND_OAUTH1A_REST_URL") { restURL = url }
    if let url = reader.text("IBIND_OAUTH1A_WS_URL") { webSocketURL = url }
    if let path = reader.text("IBIND_OAUTH1A_LIVE_SESSION_TOKEN_ENDPOINT") {
      liveSessionTokenEndpoint = path
    }
    if let realm = reader.text("IBIND_OAUTH1A_REALM") { self.realm = realm }
    if let generator = try reader.integer("IBIND_OAUTH1A_DH_GENERATOR", in: 2...255) {
      dhGenerator = generator
    }
    accessToken = try SecretName.accessToken.value(in: reader)
    accessTokenSecret = try SecretName.accessTokenSecret.value(in: reader)
    consumerKey = try SecretName.consumerKey.value(in: reader)?.exposedText
    dhPrime = try SecretName.dhPrime.value(in: reader)?.exposedText
    (encryptionKey, encryptionKeyFile) = try Self.key(.encryptionKey, reader)
    (signatureKey, signatureKeyFile) = try Self.key(.signatureKey, reader)
    initOAuth = try reader.flag("IBIND_INIT_OAUTH") ?? initOAuth
    initBrokerageSession =
      try reader.flag("IBIND_INIT_BROKERAGE_SESSION") ?? initBrokerageSession
    maintainOAuth = try reader.flag("IBIND_MAINTAIN_OAUTH") ?? maintainOAuth
    shutdownOAuth = try reader.flag("IBIND_SHUTDOWN_OAUTH") ?? shutdownOAuth
    signsQuery = try reader.flag("IBKR_OAUTH1A_SIGN_QUERY") ?? signsQuery
  }

  /// A key, or the file in which it stays until it is needed.
  private static func key(
    _ name: SecretName,
    _ reader: EnvironmentReader
  ) throws(IbkrError) -> (Secret?, file: String?) {
    switch try name.source(in: reader, isReadable: SecretFile.isThere) {
    case .text(let text): (text, reader.text(name.fileVariable))
    case .file(let path, _): (nil, path)
    case .descriptor(let number):
      (try SecretFile.read(descriptor: number, for: name.descriptorVariable), nil)
    case nil: (nil, nil)
    }
  }
}
