// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import OAuth1a

extension Diagnosis {
  /// Looks at what OAuth 1.0a needs, each part for itself and against the others.
  ///
  /// Nothing is sent; the key files are read.
  ///
  /// - Parameter config: What the user has.
  public mutating func examineKeys(_ config: OAuth1aConfig) {
    let consumerKey = config.consumerKey ?? ""
    let secret = config.accessTokenSecret ?? Secret("")
    note(
      "consumer-key",
      "the consumer key",
      TokenReview.fault(inConsumerKey: consumerKey),
      fine: "has its form"
    )
    note(
      "access-token",
      "the access token",
      TokenReview.fault(inAccessToken: config.accessToken ?? Secret("")),
      fine: "has its form"
    )
    let secretFault = TokenReview.fault(inAccessTokenSecret: secret)
    note("access-token-secret", "the access token secret", secretFault, fine: "has its form")
    note(
      "realm",
      "the realm",
      TokenReview.fault(inRealm: config.realm, consumerKey: consumerKey),
      fine: "fits the consumer key"
    )
    note(
      "dh-prime",
      "the Diffie-Hellman prime",
      reviewPrime(config.dhPrime ?? ""),
      fine: "is a safe prime of 2048 bits"
    )
    note(
      "dh-generator",
      "the Diffie-Hellman generator",
      PrimeReview.fault(inGenerator: config.dhGenerator),
      fine: "is 2"
    )
    let signature = examineKey(config, .signatureKey)
    let encryption = examineKey(config, .encryptionKey)
    guard let signature, let encryption, secretFault?.isGrave != true else {
      skip(["keys-together"], .configuration, because: "a key or the secret cannot be used")
      return
    }
    note(
      "keys-together",
      "the encryption key",
      KeyReview.fault(signature: signature, encryption: encryption, secret: secret),
      fine: "opens the access token secret, and is not the signature key"
    )
  }

  private mutating func examineKey(_ config: OAuth1aConfig, _ name: SecretName) -> KeyReview? {
    let kind = name == .signatureKey ? "signature" : "encryption"
    let check = "\(kind)-key"
    let file = config.keyFile(name)
    let subject = file.map { "the \(kind) key in \($0)" } ?? "the \(kind) key"
    let pem: Secret
    do throws(IbkrError) {
      guard let text = try config.keyText(name) else {
        let remedy =
          "set \(name.fileVariable) to the path of private_\(kind).pem; `ibkr auth setup` "
          + "makes keys if you have none"
        note(
          Check(check, .configuration, .failed, "the \(kind) key is missing", remedy: remedy)
        )
        return nil
      }
      pem = text
    } catch {
      let remedy =
        error.remedy ?? "correct \(name.fileVariable), or make the file readable for this user"
      note(Check(check, .configuration, .failed, error.what, remedy: remedy))
      return nil
    }
    let review: KeyReview
    do throws(MaterialFault) {
      review = try KeyReview(pem: pem, name: kind)
    } catch {
      note(check, subject, error, fine: "")
      return nil
    }
    if let file, let exposure = SecretFile.exposure(of: file) {
      note(
        Check(
          check,
          .configuration,
          .warning,
          "\(subject) can be read by others (mode \(exposure.mode))",
          remedy: exposure.command
        )
      )
    } else {
      note(check, subject, review.sizeFault, fine: "is \(review.summary)")
    }
    return review
  }

  /// Adds what a review of a part has found.
  private mutating func note(
    _ name: String,
    _ subject: String,
    _ fault: MaterialFault?,
    fine: String
  ) {
    guard let fault else {
      note(Check(name, .configuration, .passed, "\(subject) \(fine)"))
      return
    }
    note(
      Check(
        name,
        .configuration,
        fault.isGrave ? .failed : .warning,
        "\(subject) \(fault.what)",
        remedy: fault.remedy
      )
    )
  }
}
