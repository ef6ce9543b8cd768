// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Transport
import WebSocket

/// How to connect.
struct ConnectionOptions: ParsableArguments {
  @Option(name: .customLong("header"), help: "A header field of the upgrade, as 'Name: value'.")
  var headers: [String] = []

  @Option(name: .customLong("subprotocol"), help: "A subprotocol to ask for.")
  var subprotocols: [String] = []

  @Flag(help: "Offer or accept permessage-deflate.")
  var deflate = false

  @Flag(help: "Deliver text that is not UTF-8 instead of refusing it.")
  var tolerant = false

  @Option(help: "Trust these authorities (PEM) instead of the system's.")
  var ca: String?

  @Option(name: .customLong("pin"), help: "Trust this public key alone: sha256/BASE64.")
  var pins: [String] = []

  @Flag(help: "Trust any certificate.")
  var insecure = false

  @Option(help: "With --once: connect to this address, whatever host the URL names.")
  var address: String?

  func validate() throws {
    _ = try configuration()
    let policies = [ca != nil, !pins.isEmpty, insecure].count { $0 }
    guard policies <= 1 else {
      throw ValidationError("Give at most one of --ca, --pin and --insecure.")
    }
  }

  var connector: NetworkConnector {
    guard let address else { return NetworkConnector() }
    return NetworkConnector(resolver: FixedAddress(address: address))
  }

  func configuration() throws -> WebSocketConfiguration {
    var configuration = WebSocketConfiguration()
    configuration.headers = try headers.map { line in
      guard let colon = line.firstIndex(of: ":") else {
        throw ValidationError("--header takes 'Name: value'.")
      }
      return WebSocketHeader(
        String(line[..<colon]),
        String(line[line.index(after: colon)...].drop { $0 == " " })
      )
    }
    configuration.subprotocols = subprotocols
    configuration.deflate = deflate ? PerMessageDeflate() : nil
    configuration.text = tolerant ? .tolerant : .strict
    if let ca { configuration.trust = .authorities(file: ca) }
    if !pins.isEmpty {
      configuration.trust = .pinned(
        Set(
          try pins.map { text in
            guard let pin = PublicKeyPin(text) else {
              throw ValidationError("--pin takes sha256/ and the base64 of a SHA-256 digest.")
            }
            return pin
          }
        )
      )
    }
    if insecure { configuration.trust = .insecure }
    return configuration
  }
}
