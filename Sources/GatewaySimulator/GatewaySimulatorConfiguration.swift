// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import Crypto
import Flow

/// What a simulated gateway is like.
public struct GatewaySimulatorConfiguration: Sendable {
  /// The port on the loopback; 0 takes any that is free.
  public var port: UInt16 = 0

  /// Decides every price and every time; the same seed gives the same messages.
  public var seed: UInt64 = 1

  /// Changes of each instrument in a second; nil for what the gateway does: one each 500 ms to 2 s.
  public var updatesPerSecond: Double?

  /// What goes wrong, and when.
  public var scenario = Scenario.steady

  /// How many times a `tic` is answered; one live gateway was seen to do it four times.
  public var ticAnswers = 1

  /// The file that gets one NDJSON line for each frame sent; nil for none.
  ///
  /// An old one is replaced.
  public var ledgerPath: String?

  /// Gets every frame that is sent; nil for nobody.
  package var journal: SentJournal?

  /// The distance of the heartbeats; IBKR sends one each 10 s.
  package var heartbeat = Duration.seconds(10)

  /// How long account data takes to load after `ssodh/init`; until then `established` is false.
  public var establishDelay = Duration.seconds(1)

  /// How long a live session token of an OAuth login lives; IBKR's live for 24 hours.
  public var tokenLifetime = Duration.seconds(86_400)

  /// Whether a client that is too fast is answered 429.
  public var pacing = Pacing.unlimited

  /// Whether it behaves as api.ibkr.com does, where a user logs in by OAuth 1.0a, and not as a
  /// gateway, at which a person has logged in already.
  ///
  /// `GatewaySimulator.writeCredentials(to:)` gives what such a user needs.
  public var speaksOAuth = false

  /// Who may log in by OAuth 1.0a, where it is not to be somebody made at the start.
  package var user: SimulatedUser?

  /// How many instruments there are beside those of the catalogue: conids from
  /// `firstNumberedInstrument` on.
  package var numberedInstruments = 0

  /// The conid of the first of them.
  package static let firstNumberedInstrument = InstrumentCatalogue.firstNumbered

  /// How many minutes of what was traded are kept of each instrument for its bars; nil for a day and
  /// more.
  package var tradedMinutes: Int?

  /// The instruments of a recording that is played instead of a market of its own, with
  /// ``GatewaySimulator/play(_:)``; nil for the market.
  public var recorded: [RecordedInstrument]?

  /// What the server's certificate says, for tests of clients that must refuse it.
  package var certificate: (@Sendable (inout CertificateRequest) -> Void)?

  /// Makes a configuration with the default of every property.
  public init() {}

  /// The same, with a user where one is wanted and none was given.
  func withUser() throws(GatewaySimulatorError) -> GatewaySimulatorConfiguration {
    var configuration = self
    if speaksOAuth, user == nil { configuration.user = try SimulatedUser() }
    return configuration
  }

  var options: GatewayState.Options {
    var options = GatewayState.Options()
    options.seed = seed
    options.user = user
    options.catalogue = options.catalogue.adding(numbered: numberedInstruments)
    if let tradedMinutes { options.tradedMinutes = tradedMinutes }
    if let recorded {
      options.playsRecording = true
      options.catalogue = InstrumentCatalogue(recorded: recorded)
    }
    options.establishDelay = max(establishDelay, .zero).nanoseconds
    options.heartbeat = max(heartbeat, .milliseconds(1)).nanoseconds
    options.tokenLifetime = max(tokenLifetime, .zero).nanoseconds
    options.pacing = pacing
    options.ticAnswers = min(max(ticAnswers, 0), 100)
    if let rate = updatesPerSecond, rate > 0 {
      // A million a second is more than one thread can send.
      options.pace = .every(Int64(1_000_000_000 / min(max(rate, 0.001), 1_000_000)))
    }
    return options
  }
}
