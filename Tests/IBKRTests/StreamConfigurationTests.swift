// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import IBKR

/// IBind's variables for its socket.
@Suite struct StreamConfigurationTests {
  @Test func withoutVariablesEverythingHasItsDefault() throws {
    let configuration = try StreamConfiguration(environment: ["IBIND_WS_TIMEOUT": ""])
    #expect(configuration.settings == StreamConfiguration().settings)
    // IBind gives up after 20 attempts.
    #expect(configuration.subscriptionAttempts == nil)
  }

  @Test func theVariablesAreRead() throws {
    let variables = [
      "IBIND_WS_SUBSCRIPTION_RETRIES": "20", "IBIND_WS_SUBSCRIPTION_TIMEOUT": "2.5",
      "IBIND_WS_PING_INTERVAL": "10", "IBIND_WS_MAX_PING_INTERVAL": "20.0", "IBIND_WS_TIMEOUT": "5",
    ]
    let configuration = try StreamConfiguration(environment: variables)
    #expect(configuration.subscriptionAttempts == 20)
    #expect(configuration.subscriptionTimeout == .milliseconds(2_500))
    #expect(configuration.pingInterval == .seconds(10))
    #expect(configuration.heartbeatTimeout == .seconds(20))
    #expect(configuration.pongTimeout == .seconds(10))
    #expect(configuration.connectTimeout == .seconds(5))
    #expect(configuration.timing.attempts == 20)
    #expect(configuration.timing.firstRetry == 2_500_000_000)
    #expect(Set(configuration.settings.map(\.variable)) == Set(variables.keys))
  }

  @Test(arguments: [
    ("IBIND_WS_SUBSCRIPTION_RETRIES", "0"), ("IBIND_WS_SUBSCRIPTION_RETRIES", "many"),
    ("IBIND_WS_SUBSCRIPTION_TIMEOUT", "-1"), ("IBIND_WS_SUBSCRIPTION_TIMEOUT", "nan"),
    ("IBIND_WS_PING_INTERVAL", "inf"), ("IBIND_WS_MAX_PING_INTERVAL", "10"),
    ("IBIND_WS_TIMEOUT", "5 s"),
  ])
  func whatCannotBeUsedIsNamed(_ variable: String, _ value: String) {
    let error = #expect(throws: IbkrError.self) {
      try StreamConfiguration(environment: [variable: value])
    }
    #expect(error?.code == .invalidConfiguration)
    #expect(error?.what.contains(variable) == true)
  }

  @Test func thePollingKeepsTheServersLimit() {
    var configuration = StreamConfiguration()
    #expect(configuration.orderTiming.interval == 30_000_000_000)
    configuration.ordersPollInterval = .seconds(1)
    #expect(configuration.orderTiming.interval == 5_000_000_000)
    configuration.ordersPollInterval = nil
    #expect(configuration.orderTiming.interval == nil)
  }
}
