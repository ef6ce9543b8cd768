// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import Logging
public import OAuth1a

/// The ways of IBind to make a stream.
extension IbkrWsClient {
  /// Creates a stream with a client of its own, from the variables of the environment.
  ///
  /// With `IBIND_USE_OAUTH` it logs in by OAuth, and otherwise it uses a gateway: see
  /// ``IbkrConfiguration/init(environment:usesOAuth:)``. The client is closed when ``run()`` ends,
  /// which with OAuth gives the session back.
  ///
  /// - Parameters:
  ///   - configuration: How patient the stream is; nil for what the environment says, see
  ///     ``StreamConfiguration/init(environment:)``.
  ///   - logger: Where to tell what a person may want to know.
  /// - Throws: ``IbkrError`` with `invalidConfiguration` that names the variable.
  public init(
    configuration: StreamConfiguration? = nil,
    logger: Logger = Logger(label: "ibkr")
  ) throws(IbkrError) {
    let patience: StreamConfiguration
    if let configuration { patience = configuration } else { patience = try .fromEnvironment() }
    self.init(
      try IbkrClient(configuration: .fromEnvironment(), logger: logger),
      ownsClient: true,
      patience,
      logger
    )
  }

  /// Creates a stream for a client that has been set up by hand, and says what it is to be.
  ///
  /// - Parameters:
  ///   - ibkrClient: The REST side, whose I/O thread the stream shares.
  ///   - useOAuth: Whether the client has to use OAuth; without it what the client says.
  ///   - accessToken: The access token that the client has to use; nil for the client's own.
  ///   - configuration: How patient the stream is.
  ///   - logger: Where to tell what a person may want to know.
  /// - Throws: ``IbkrError`` with `invalidConfiguration` if the client is set up otherwise.
  public init(
    ibkrClient: IbkrClient,
    useOAuth: Bool,
    accessToken: Secret? = nil,
    configuration: StreamConfiguration = StreamConfiguration(),
    logger: Logger = Logger(label: "ibkr")
  ) throws(IbkrError) {
    if useOAuth, !ibkrClient.usesOAuth {
      throw IbkrError(
        .invalidConfiguration,
        "the stream is to use OAuth, and its client talks to a gateway",
        remedy: "give the client's configuration an OAuth1aConfig, or leave useOAuth out"
      )
    }
    if !useOAuth, ibkrClient.usesOAuth || accessToken != nil {
      throw IbkrError(
        .invalidConfiguration,
        "the stream is to use a gateway, and its client or its access token is for OAuth",
        remedy: "leave useOAuth out, and the access token at a gateway"
      )
    }
    if let accessToken, accessToken != ibkrClient.configuration.oauth?.accessToken {
      throw IbkrError(
        .invalidConfiguration,
        "the stream has another access token than its client",
        remedy: "leave it out: the client's own is used"
      )
    }
    self.init(ibkrClient, ownsClient: false, configuration, logger)
  }

  /// Creates a stream for a client that uses OAuth with this access token.
  ///
  /// - Parameters:
  ///   - ibkrClient: The REST side, whose I/O thread the stream shares.
  ///   - accessToken: The access token that the client has to use.
  ///   - configuration: How patient the stream is.
  ///   - logger: Where to tell what a person may want to know.
  /// - Throws: ``IbkrError`` with `invalidConfiguration` if the client is set up otherwise.
  public init(
    ibkrClient: IbkrClient,
    accessToken: Secret,
    configuration: StreamConfiguration = StreamConfiguration(),
    logger: Logger = Logger(label: "ibkr")
  ) throws(IbkrError) {
    try self.init(
      ibkrClient: ibkrClient,
      useOAuth: true,
      accessToken: accessToken,
      configuration: configuration,
      logger: logger
    )
  }
}
