// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import OAuth1a

/// A value of ``OAuth1aConfig`` that has more sources than one variable.
///
/// The first of these that is set counts:
///
/// 1. the variable `IBIND_OAUTH1A_<NAME>` with the value itself, as in IBind;
/// 2. the variable `IBKR_OAUTH1A_<NAME>_FILE` with the path of a file; for the two keys this is
///    IBind's `IBIND_OAUTH1A_<NAME>_FP`;
/// 3. the variable `IBKR_OAUTH1A_<NAME>_FD` with the number of an inherited descriptor, which is
///    read to its end and closed;
/// 4. the systemd credential `ibkr-oauth1a-<name>` in `$CREDENTIALS_DIRECTORY`, with hyphens for
///    underscores.
///
/// There is no flag: arguments can be read by every user of the machine.
package enum SecretName: String, Sendable, CaseIterable {
  case accessToken = "ACCESS_TOKEN"
  case accessTokenSecret = "ACCESS_TOKEN_SECRET"
  case consumerKey = "CONSUMER_KEY"
  case dhPrime = "DH_PRIME"
  case encryptionKey = "ENCRYPTION_KEY"
  case signatureKey = "SIGNATURE_KEY"

  /// The variable that holds the value itself.
  package var variable: String { "IBIND_OAUTH1A_\(rawValue)" }

  /// The variable that names a file.
  package var fileVariable: String {
    switch self {
    case .encryptionKey, .signatureKey: "IBIND_OAUTH1A_\(rawValue)_FP"
    default: "IBKR_OAUTH1A_\(rawValue)_FILE"
    }
  }

  /// The variable that names a descriptor.
  package var descriptorVariable: String { "IBKR_OAUTH1A_\(rawValue)_FD" }

  /// The name of the systemd credential.
  package var credential: String {
    "ibkr-oauth1a-" + rawValue.lowercased().map { $0 == "_" ? "-" : String($0) }.joined()
  }

  /// Where a value is to come from.
  enum Source: Sendable, Equatable {
    case text(Secret)
    case file(String, named: String)
    case descriptor(Int32)
  }

  /// Finds the source that counts.
  ///
  /// - Parameters:
  ///   - environment: The variables.
  ///   - isReadable: Whether a file is there.
  /// - Returns: nil if there is none.
  /// - Throws: `IbkrError` with `invalidConfiguration` for a descriptor that is no number.
  func source(
    in environment: EnvironmentReader,
    isReadable: (String) -> Bool
  ) throws(IbkrError) -> Source? {
    if let text = environment.text(variable) { return .text(Secret(text)) }
    if let path = environment.text(fileVariable) { return .file(path, named: fileVariable) }
    if environment.text(descriptorVariable) != nil {
      let number = try environment.integer(descriptorVariable, in: 0...1_048_575) ?? 0
      return .descriptor(Int32(number))
    }
    if let folder = environment.text("CREDENTIALS_DIRECTORY") {
      let path = "\(folder)/\(credential)"
      if isReadable(path) { return .file(path, named: "CREDENTIALS_DIRECTORY") }
    }
    return nil
  }

  /// Finds and reads the value.
  func value(in environment: EnvironmentReader) throws(IbkrError) -> Secret? {
    switch try source(in: environment, isReadable: SecretFile.isThere) {
    case .text(let secret): secret
    case .file(let path, let name): try SecretFile.read(path, for: name)
    case .descriptor(let number):
      try SecretFile.read(descriptor: number, for: descriptorVariable)
    case nil: nil
    }
  }
}
