// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import Transport

extension Diagnosis {
  /// Looks at variables, addresses and keys: everything that takes no network.
  ///
  /// - Parameters:
  ///   - environment: Names and values.
  ///   - read: Makes the configuration of them.
  /// - Returns: The configuration; nil if there is none to go on with.
  public mutating func examineConfiguration(
    environment: [String: String],
    reading read: ([String: String]) throws -> IbkrConfiguration = { environment in
      try IbkrConfiguration(environment: environment)
    }
  ) -> IbkrConfiguration? {
    examineNames(of: environment)
    let configuration: IbkrConfiguration
    do {
      configuration = try read(environment)
    } catch {
      let known = error as? IbkrError
      note(
        Check(
          "configuration",
          .configuration,
          .failed,
          known?.what ?? "\(error)",
          remedy: known?.remedy ?? "correct the value and try again"
        )
      )
      return nil
    }
    let isUsable = examineAddress(configuration)
    if let oauth = configuration.oauth {
      examineKeys(oauth)
    } else if environment.keys.contains(where: { $0.hasPrefix("IBIND_OAUTH1A_") }) {
      note(
        Check(
          "oauth",
          .configuration,
          .warning,
          "there are IBIND_OAUTH1A_ variables, but OAuth is not switched on",
          remedy: "set IBIND_USE_OAUTH=True, unless you want the gateway"
        )
      )
    }
    return isUsable ? configuration : nil
  }

  /// A variable that is spelt wrong is a variable that nobody reads.
  private mutating func examineNames(of environment: [String: String]) {
    let strangers = environment.keys.filter { name in
      name.hasPrefix("IBIND_") && name.utf8.count <= 60 && !Setting.isKnown(name)
        && name.utf8.allSatisfy {
          $0 == 0x5F || (0x30...0x39).contains($0) || (0x41...0x5A).contains($0)
        }
    }
    for name in strangers.sorted() {
      let near = Setting.nearest(to: name).map { "did you mean \($0)?" }
      note(
        Check(
          "variables",
          .configuration,
          .warning,
          "nobody reads \(name)",
          remedy: near ?? "remove it, or look for its right name in `ibkr config show`"
        )
      )
    }
  }

  private mutating func examineAddress(_ configuration: IbkrConfiguration) -> Bool {
    let mode = configuration.oauth == nil ? "a gateway" : "OAuth 1.0a"
    func check(_ outcome: Check.Outcome, _ finding: String, _ remedy: String? = nil) -> Check {
      Check("configuration", .configuration, outcome, finding, remedy: remedy)
    }
    let variable = configuration.oauth == nil ? "IBIND_REST_URL" : "IBIND_OAUTH1A_REST_URL"
    let url: WebURL
    do {
      url = try WebURL(configuration.effectiveRESTURL)
    } catch {
      note(check(.failed, "the server's URL cannot be one: \(error)", "correct \(variable)"))
      return false
    }
    guard url.scheme == .https || url.scheme == .http else {
      note(
        check(.failed, "the server's URL begins with \(url.scheme)://", "write https:// instead")
      )
      return false
    }
    do {
      _ = try TLSContext(client: configuration.trust)
    } catch {
      note(check(.failed, "\(error)", "correct the CA file (--ca or IBIND_CACERT)"))
      return false
    }
    if configuration.oauth != nil, url.scheme == .http, !Self.isLoopback(url.host) {
      note(check(.failed, "OAuth over http:// shows the token to everybody", "write https://"))
      return false
    }
    if !(url.path.hasSuffix("/v1/api") || url.path.hasSuffix("/v1/api/")) {
      note(
        check(
          .warning,
          "the server's URL does not end in /v1/api",
          "write \(url.origin)/v1/api in \(variable) or --gateway"
        )
      )
    } else if configuration.trust.isInsecure {
      note(
        check(
          .warning,
          "\(mode) at \(url.origin), and its certificate is not verified",
          "trust its key with --pin, or its authority with --ca"
        )
      )
    } else {
      note(check(.passed, "\(mode) at \(url.origin)"))
    }
    return true
  }

  static func isLoopback(_ host: String) -> Bool {
    host == "localhost" || host == "::1" || host.hasPrefix("127.")
  }
}
