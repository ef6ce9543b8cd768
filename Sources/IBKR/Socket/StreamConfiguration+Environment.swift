// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The variables that IBind has for its socket.
extension StreamConfiguration {
  /// Reads `IBIND_WS_SUBSCRIPTION_RETRIES`, `IBIND_WS_SUBSCRIPTION_TIMEOUT`,
  /// `IBIND_WS_PING_INTERVAL`, `IBIND_WS_MAX_PING_INTERVAL` and `IBIND_WS_TIMEOUT`.
  ///
  /// They mean what they mean in IBind, and what is not set has this package's default. The one that
  /// differs is deliberate: IBind gives a subscription up after 20 attempts, and here it is asked for
  /// as long as it is wanted, unless the variable sets a limit.
  ///
  /// - Parameter environment: Names and values.
  /// - Throws: ``IbkrError`` with `invalidConfiguration` that names the variable.
  public init(environment: [String: String]) throws(IbkrError) {
    self.init()
    let reader = EnvironmentReader(variables: environment)
    subscriptionAttempts = try reader.integer("IBIND_WS_SUBSCRIPTION_RETRIES", in: 1...1_000_000)
    if let timeout = try reader.seconds("IBIND_WS_SUBSCRIPTION_TIMEOUT", in: 0.1...3_600) {
      subscriptionTimeout = timeout
    }
    if let interval = try reader.seconds("IBIND_WS_PING_INTERVAL", in: 1...3_600) {
      pingInterval = interval
    }
    // The server speaks every 10 s, so anything less would end every connection.
    if let longest = try reader.seconds("IBIND_WS_MAX_PING_INTERVAL", in: 12...3_600) {
      heartbeatTimeout = longest
      pongTimeout = max(.seconds(1), longest - (pingInterval ?? .zero))
    }
    if let timeout = try reader.seconds("IBIND_WS_TIMEOUT", in: 0.1...3_600) {
      connectTimeout = timeout
    }
  }

  /// Reads the variables of this process: see ``init(environment:)``.
  ///
  /// - Returns: The configuration.
  /// - Throws: ``IbkrError`` with `invalidConfiguration` that names the variable.
  public static func fromEnvironment() throws(IbkrError) -> StreamConfiguration {
    try StreamConfiguration(environment: ProcessEnvironment.variables)
  }

  /// The values of those variables.
  public var settings: [Setting] {
    func seconds(_ duration: Duration?) -> String? {
      duration.map { "\($0 / .seconds(1))" }
    }
    return [
      Setting("IBIND_WS_SUBSCRIPTION_RETRIES", subscriptionAttempts.map { "\($0)" }),
      Setting("IBIND_WS_SUBSCRIPTION_TIMEOUT", seconds(subscriptionTimeout)),
      Setting("IBIND_WS_PING_INTERVAL", seconds(pingInterval)),
      Setting("IBIND_WS_MAX_PING_INTERVAL", seconds(heartbeatTimeout)),
      Setting("IBIND_WS_TIMEOUT", seconds(connectTimeout)),
    ]
  }
}
