// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import HTTPTunnel
public import OAuth1a
public import Transport

/// Where the server is, whom to trust there, and how the session is kept.
public struct IbkrConfiguration: Sendable {
  /// The base of all REST calls (protocol reference 1.1).
  public var restURL = "https://localhost:5000/v1/api"

  /// The address of the socket; nil for the one that belongs to ``restURL``.
  public var webSocketURL: String?

  /// What makes the server's certificate trustworthy.
  public var trust = TrustPolicy.system

  /// The proxy to go through, for REST and socket alike; nil for none.
  ///
  /// No environment variable is looked at: that is for a program to do.
  public var proxy: HTTPProxy?

  /// The hosts that are reached without ``proxy``.
  public var directHosts = DirectHosts.loopback

  /// The account to use where one has to be named.
  public var accountID: Secret?

  /// How often the session is kept alive; IBKR asks for once a minute (protocol reference 3.2).
  public var ticklerInterval = Duration.seconds(60)

  /// How long one REST call may take.
  ///
  /// A gateway that is up but stuck answers nothing at all (protocol reference 7.2, entry 18), so
  /// this is short.
  public var requestTimeout = Duration.seconds(15)

  /// A gateway on this machine, at its usual port.
  public init() {}

  /// Reads the variables that IBind has, with IBind's meaning: `IBIND_REST_URL`, `IBIND_WS_URL`,
  /// `IBIND_ACCOUNT_ID`, `IBIND_CACERT` and `IBIND_TICKLER_INTERVAL`.
  ///
  /// The one difference is deliberate: without `IBIND_CACERT` the certificate is verified. IBind
  /// verifies nothing unless told to; here that takes `IBIND_CACERT=False`.
  ///
  /// - Parameter environment: Names and values.
  /// - Throws: ``IbkrError`` with `invalidConfiguration` that names the variable.
  public init(environment: [String: String]) throws(IbkrError) {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    if let url = value("IBIND_REST_URL") { restURL = url }
    webSocketURL = value("IBIND_WS_URL")
    accountID = value("IBIND_ACCOUNT_ID").map { Secret($0) }
    switch value("IBIND_CACERT") {
    case nil, "True", "true", "1": trust = .system
    case "False", "false", "0": trust = .insecure
    case let file?: trust = .authorities(file: file)
    }
    if let text = value("IBIND_TICKLER_INTERVAL") {
      guard let seconds = Double(text), seconds >= 1, seconds <= 3_600 else {
        throw IbkrError(
          .invalidConfiguration,
          "IBIND_TICKLER_INTERVAL is not a number of seconds between 1 and 3600"
        )
      }
      ticklerInterval = .milliseconds(Int64(seconds * 1_000))
    }
    if let text = value("IBIND_USE_OAUTH"), ["true", "1"].contains(text.lowercased()) {
      throw IbkrError(
        .invalidConfiguration,
        "IBIND_USE_OAUTH asks for OAuth 1.0a, and this version speaks to a gateway only",
        remedy: "unset it, and log in at a Client Portal Gateway"
      )
    }
  }
}

extension IbkrConfiguration {
  /// The proxy on the way to a host.
  func proxy(for host: String) -> HTTPProxy? {
    directHosts.contains(host) ? nil : proxy
  }
}
