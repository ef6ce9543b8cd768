// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import IBKR
import Transport

/// Where the data comes from, and why to trust it.
struct ConnectionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The gateway's address, up to /v1/api.",
      discussion: "IBIND_REST_URL says otherwise than the default, which is "
        + "https://localhost:5000/v1/api.",
      valueName: "url"
    )
  )
  var gateway: String?

  @Flag(
    help: ArgumentHelp(
      "Log in by OAuth 1.0a instead of using a gateway.",
      discussion: "Keys and tokens come from the IBIND_OAUTH1A_… variables, or from the files that "
        + "they name. With IBIND_USE_OAUTH=True this flag is not needed."
    )
  )
  var oauth = false

  @Flag(help: "Start a simulated gateway in this process and use that; with --oauth IBKR itself.")
  var simulate = false

  @Option(
    help: ArgumentHelp(
      "Trust the authorities in this PEM file instead of the system's.",
      valueName: "file"
    ),
    completion: .file()
  )
  var ca: String?

  @Option(
    help: ArgumentHelp(
      "Trust this public key and nothing else, whatever the certificate says; may be repeated.",
      valueName: "sha256/base64"
    )
  )
  var pin: [String] = []

  @Flag(help: "Trust anybody. Whoever sits in between can read and change everything.")
  var insecure = false

  @Flag(help: "Wait for the server, instead of ending, when it cannot be used at the start.")
  var wait = false

  @Option(
    help: ArgumentHelp(
      "Whether to throw out another login of the same user name: never, once at the start, or always.",
      discussion: "Without it once at the start with OAuth, as IBind does it, and never with a "
        + "gateway."
    )
  )
  var compete: CompetePolicy?

  @Option(help: "Where IBKR's servers are whose nightly reset ends the session.")
  var region = SessionRegion.america

  @Option(
    help: ArgumentHelp(
      "Read options and variables from this file.",
      discussion: "Every command takes it. Without it IBKR_CONFIG, ./ibkr.json and "
        + "~/.config/ibkr/config.json are looked for; see ibkr config.",
      valueName: "file"
    ),
    completion: .file()
  )
  // Taken out of the command line before the rest of it is understood; here for the help.
  var config: String?

  func validate() throws {
    if simulate, gateway != nil || ca != nil || !pin.isEmpty || insecure {
      throw ValidationError("--simulate brings its own gateway: leave the other options out")
    }
    if oauth, gateway != nil {
      throw ValidationError("--oauth and --gateway exclude each other: choose one")
    }
    if [ca != nil, !pin.isEmpty, insecure].count(where: { $0 }) > 1 {
      throw ValidationError("--ca, --pin and --insecure exclude each other: choose one")
    }
    for pin in pin where PublicKeyPin(pin) == nil {
      throw ValidationError("'\(pin)' is no pin: write sha256/ and 44 characters of base64")
    }
    if let ca, access(ca, R_OK) != 0 {
      throw ValidationError("cannot read the CA file '\(ca)': is it there?")
    }
  }

  /// How patient the stream is, and what it does about other logins.
  ///
  /// - Returns: The configuration: flags before variables before defaults.
  /// - Throws: `IbkrError` if a variable has a value that cannot be used.
  func streamConfiguration() throws -> StreamConfiguration {
    var configuration = try StreamConfiguration(environment: Configured.current.variables)
    configuration.waitsForServer = wait
    configuration.compete = compete
    configuration.region = region
    return configuration
  }

  /// The client's configuration: flags before variables before defaults.
  ///
  /// - Returns: The configuration, for anything but a simulated gateway.
  /// - Throws: `IbkrError` if a variable has a value that cannot be used.
  func configuration() throws -> IbkrConfiguration {
    let variables = Configured.current.variables
    var configuration = try IbkrConfiguration(
      environment: variables,
      usesOAuth: gateway != nil ? false : oauth ? true : nil
    )
    configuration.oauth?.competesAtStart = compete != .never
    try configuration.useProxy(of: variables)
    if let gateway { configuration.restURL = gateway }
    if let ca { configuration.trust = .authorities(file: ca) }
    if !pin.isEmpty { configuration.trust = .pinned(Set(pin.compactMap(PublicKeyPin.init))) }
    if insecure { configuration.trust = .insecure }
    return configuration
  }
}
