// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1
import OAuth1a
import Transport

/// A value of a configuration as it is in effect, fit to be shown to anybody.
public struct Setting: Sendable, Hashable {
  /// The variable that sets it.
  public let variable: String

  /// The value; `<redacted>` for a secret that is set, nil for what is not set.
  public let value: String?

  init(_ variable: String, _ value: String?) {
    self.variable = variable
    self.value = value
  }

  init(_ variable: String, secret: Secret?) {
    self.init(variable, secret.map(\.description))
  }
}

extension IbkrConfiguration {
  /// Every value, in the order of the documentation, secrets redacted.
  public var settings: [Setting] {
    [
      Setting("IBIND_USE_OAUTH", oauth == nil ? "False" : "True"),
      Setting("IBIND_REST_URL", Setting.shown(url: restURL)),
      Setting("IBIND_WS_URL", webSocketURL.map(Setting.shown(url:))),
      Setting("IBIND_ACCOUNT_ID", secret: accountID),
      Setting("IBIND_CACERT", "\(trust)"),
      Setting("IBIND_TICKLER_INTERVAL", "\(ticklerInterval.components.seconds)"),
      Setting("HTTPS_PROXY", proxy.map { "\($0)" }),
    ] + (oauth?.settings ?? [])
  }
}

extension OAuth1aConfig {
  fileprivate var settings: [Setting] {
    func flag(_ value: Bool) -> String { value ? "True" : "False" }
    return [
      Setting("IBIND_OAUTH1A_REST_URL", Setting.shown(url: restURL)),
      Setting("IBIND_OAUTH1A_WS_URL", Setting.shown(url: webSocketURL)),
      Setting("IBIND_OAUTH1A_LIVE_SESSION_TOKEN_ENDPOINT", liveSessionTokenEndpoint),
      Setting("IBIND_OAUTH1A_CONSUMER_KEY", secret: consumerKey.map { Secret($0) }),
      Setting("IBIND_OAUTH1A_ACCESS_TOKEN", secret: accessToken),
      Setting("IBIND_OAUTH1A_ACCESS_TOKEN_SECRET", secret: accessTokenSecret),
      Setting("IBIND_OAUTH1A_DH_PRIME", secret: dhPrime.map { Secret($0) }),
      Setting("IBIND_OAUTH1A_DH_GENERATOR", "\(dhGenerator)"),
      Setting("IBIND_OAUTH1A_ENCRYPTION_KEY", secret: encryptionKey),
      Setting("IBIND_OAUTH1A_ENCRYPTION_KEY_FP", encryptionKeyFile),
      Setting("IBIND_OAUTH1A_SIGNATURE_KEY", secret: signatureKey),
      Setting("IBIND_OAUTH1A_SIGNATURE_KEY_FP", signatureKeyFile),
      Setting("IBIND_OAUTH1A_REALM", realm),
      Setting("IBIND_INIT_OAUTH", flag(initOAuth)),
      Setting("IBIND_INIT_BROKERAGE_SESSION", flag(initBrokerageSession)),
      Setting("IBIND_MAINTAIN_OAUTH", flag(maintainOAuth)),
      Setting("IBIND_SHUTDOWN_OAUTH", flag(shutdownOAuth)),
      Setting("IBKR_OAUTH1A_SIGN_QUERY", flag(signsQuery)),
    ]
  }
}

extension Setting {
  /// An address without what may be secret in it.
  fileprivate static func shown(url text: String) -> String {
    (try? WebURL(text)).map { "\($0)" } ?? "<not a URL>"
  }

  /// The variables that belong to something else than a configuration: to IBind's log and socket.
  private static let others: Set<String> = [
    "IBIND_LOG_LEVEL", "IBIND_LOG_FORMAT", "IBIND_LOG_TO_CONSOLE", "IBIND_LOG_TO_FILE",
    "IBIND_LOGS_DIR", "IBIND_LOG_RESPONSES", "IBIND_PRINT_FILE_LOGS", "IBIND_VERBOSE_RETRIES",
    "IBIND_MASK_ACCOUNT_IDS", "IBIND_ENV_FILE", "IBIND_USE_SESSION",
    "IBIND_AUTO_REGISTER_SHUTDOWN", "IBIND_WS_LOG_RAW_MESSAGES", "IBIND_WS_DROP_OLDEST",
    "IBIND_WS_MAX_QUEUE_SIZE",
    "IBIND_WS_SKIP_UTF8_VALIDATION",
  ]

  private static let known: Set<String> = {
    var configuration = IbkrConfiguration()
    configuration.oauth = OAuth1aConfig()
    return others.union(configuration.settings.map(\.variable))
      .union(StreamConfiguration().settings.map(\.variable))
  }()

  /// The variables that may stand in a file that is no secret: all but those that hold a secret
  /// themselves; the ones that name a secret's file are among them.
  package static let settable: [String] = {
    let secrets = Set(SecretName.allCases.map(\.variable))
    let files = SecretName.allCases.map(\.fileVariable)
    return known.subtracting(others).subtracting(secrets).union(files).sorted()
  }()

  /// Whether IBind, or this package, has a variable of this name.
  static func isKnown(_ variable: String) -> Bool { known.contains(variable) }

  /// The variable that somebody may have meant, nil if none is near.
  static func nearest(to variable: String) -> String? {
    Spelling.nearest(to: variable, in: known, within: 4)
  }
}
