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
    let encryption = try keyText(.encryptionKey) ?? Secret("")
    let signature = try keyText(.signatureKey) ?? Secret("")
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
    [SecretName.encryptionKey, .signatureKey]
      .compactMap { keyFile($0).flatMap(SecretFile.exposure(of:)) }
      .map { "the key file \($0.path) can be read by others (mode \($0.mode)): \($0.command)" }
  }

  /// The file that a key is read from, nil if its text is given.
  func keyFile(_ name: SecretName) -> String? {
    switch name {
    case .encryptionKey: encryptionKey == nil ? encryptionKeyFile : nil
    case .signatureKey: signatureKey == nil ? signatureKeyFile : nil
    default: nil
    }
  }

  /// The text of a key, from its file if need be; nil if neither is named.
  func keyText(_ name: SecretName) throws(IbkrError) -> Secret? {
    if let file = keyFile(name) { return try SecretFile.read(file, for: name.fileVariable) }
    guard let text = name == .signatureKey ? signatureKey : encryptionKey else { return nil }
    let exposed = text.exposedText
    // Files of variables hold a PEM on one line, with \n for its line ends.
    guard !exposed.utf8.contains(UInt8(ascii: "\n")) else { return text }
    return Secret(exposed.split(separator: "\\n").joined(separator: "\n"))
  }
}
