// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import OAuth1a

extension OAuth1aConfig {
  /// Checks what can be checked without reading a file: IBind's `verify_config`.
  ///
  /// - Throws: ``IbkrError`` with `invalidConfiguration` that names everything that is missing.
  package func verify() throws(IbkrError) {
    var missing: [SecretName] = []
    if accessToken?.isEmpty ?? true { missing.append(.accessToken) }
    if accessTokenSecret?.isEmpty ?? true { missing.append(.accessTokenSecret) }
    if consumerKey?.isEmpty ?? true { missing.append(.consumerKey) }
    if dhPrime?.isEmpty ?? true { missing.append(.dhPrime) }
    if encryptionKey == nil, encryptionKeyFile == nil { missing.append(.encryptionKey) }
    if signatureKey == nil, signatureKeyFile == nil { missing.append(.signatureKey) }
    guard !missing.isEmpty else { return }
    let names = missing.map { name in
      switch name {
      case .encryptionKey, .signatureKey: "\(name.variable) or \(name.fileVariable)"
      default: name.variable
      }
    }
    throw IbkrError(
      .invalidConfiguration,
      "OAuth 1.0a lacks \(names.joined(separator: ", "))",
      remedy: "set what is missing, or unset IBIND_USE_OAUTH to use a gateway"
    )
  }

  /// Reads the key files, and decrypts the access token secret.
  ///
  /// - Returns: The credentials.
  /// - Throws: ``IbkrError`` with `invalidConfiguration` that says which part is wrong.
  package func credentials() throws(IbkrError) -> OAuth1aCredentials {
    try verify()
    let encryption = try key(encryptionKey, encryptionKeyFile, .encryptionKey)
    let signature = try key(signatureKey, signatureKeyFile, .signatureKey)
    do throws(OAuth1aError) {
      return try OAuth1aCredentials(
        consumerKey: consumerKey ?? "",
        accessToken: accessToken ?? Secret(""),
        accessTokenSecret: accessTokenSecret ?? Secret(""),
        encryptionKeyPEM: encryption,
        signatureKeyPEM: signature,
        primeHexadecimal: dhPrime ?? "",
        generator: dhGenerator,
        realm: realm
      )
    } catch {
      throw IbkrError(.invalidConfiguration, "\(error)")
    }
  }

  /// What is wrong with the permissions of the key files, each with the command against it.
  package var exposedKeyFiles: [String] {
    [
      encryptionKey == nil ? encryptionKeyFile : nil,
      signatureKey == nil ? signatureKeyFile : nil,
    ]
    .compactMap { $0.flatMap(SecretFile.exposure(of:)) }
  }

  private func key(
    _ text: Secret?,
    _ file: String?,
    _ name: SecretName
  ) throws(IbkrError) -> Secret {
    guard let text else { return try SecretFile.read(file ?? "", for: name.fileVariable) }
    let exposed = text.exposedText
    // Files of variables hold a PEM on one line, with \n for its line ends.
    guard !exposed.utf8.contains(UInt8(ascii: "\n")) else { return text }
    return Secret(exposed.split(separator: "\\n").joined(separator: "\n"))
  }
}
