// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import HTTPTunnel
public import OAuth1a
public import Transport

/// Where the server is, whom to trust there, and how the session is kept.
public struct IbkrConfiguration: Sendable {
  /// How to log in without a gateway; nil to use one.
  ///
  /// With it the addresses are the configuration's own: see ``OAuth1aConfig/restURL``.
  public var oauth: OAuth1aConfig?

  /// The base of all REST calls to a gateway (protocol reference 1.1).
  public var restURL = "https://localhost:5000/v1/api"

  /// The address of the socket; nil for the one that belongs to ``restURL``, or with OAuth for
  /// ``OAuth1aConfig/webSocketURL``.
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
  /// `IBIND_ACCOUNT_ID`, `IBIND_CACERT`, `IBIND_TICKLER_INTERVAL` and `IBIND_USE_OAUTH`; with the
  /// last one on, also those of ``OAuth1aConfig``.
  ///
  /// The one difference is deliberate: without `IBIND_CACERT` the certificate is verified. IBind
  /// verifies nothing at a gateway unless told to; here that takes `IBIND_CACERT=False`. With OAuth
  /// the certificate is verified whatever the variable says, as in IBind.
  ///
  /// - Parameters:
  ///   - environment: Names and values.
  ///   - usesOAuth: Whether to use OAuth; nil for what `IBIND_USE_OAUTH` says.
  /// - Throws: ``IbkrError`` with `invalidConfiguration` that names the variable.
  public init(
    environment: [String: String],
    usesOAuth: Bool? = nil
  ) throws(IbkrError) {
    let reader = EnvironmentReader(variables: environment)
    if let url = reader.text("IBIND_REST_URL") { restURL = url }
    webSocketURL = reader.text("IBIND_WS_URL")
    accountID = reader.text("IBIND_ACCOUNT_ID").map { Secret($0) }
    if let seconds = try reader.integer("IBIND_TICKLER_INTERVAL", in: 1...3_600) {
      ticklerInterval = .seconds(seconds)
    }
    let variable = try reader.flag("IBIND_USE_OAUTH")
    if usesOAuth ?? variable ?? false {
      oauth = try OAuth1aConfig(environment: environment)
    }
    switch reader.text("IBIND_CACERT") {
    case nil, "True", "true", "1": trust = .system
    case "False", "false", "0": trust = oauth == nil ? .insecure : .system
    case let file?: trust = .authorities(file: file)
    }
  }

  /// Reads the variables of this process: see ``init(environment:usesOAuth:)``.
  ///
  /// - Returns: The configuration.
  /// - Throws: ``IbkrError`` with `invalidConfiguration` that names the variable.
  public static func fromEnvironment() throws(IbkrError) -> IbkrConfiguration {
    try IbkrConfiguration(environment: ProcessEnvironment.variables)
  }

  /// The base of all REST calls of a client with this configuration.
  package var effectiveRESTURL: String { oauth?.restURL ?? restURL }
}

extension IbkrConfiguration {
  /// The proxy on the way to a host.
  func proxy(for host: String) -> HTTPProxy? {
    directHosts.contains(host) ? nil : proxy
  }
}
