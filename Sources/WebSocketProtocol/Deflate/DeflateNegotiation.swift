// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

// RFC 7692 section 7.1: the parameters of permessage-deflate in an offer and in its answer.

extension PerMessageDeflate {
  static let name = "permessage-deflate"

  /// The client's offer, as it goes into the request.
  ///
  /// `client_max_window_bits` always stands there, without it the server may not limit the client's
  /// window (section 7.1.2.2).
  var offer: String {
    var parts = [Self.name]
    if serverNoContextTakeover { parts.append("server_no_context_takeover") }
    if clientNoContextTakeover { parts.append("client_no_context_takeover") }
    if serverMaxWindowBits < 15 { parts.append("server_max_window_bits=\(serverMaxWindowBits)") }
    parts.append(
      clientMaxWindowBits < 15
        ? "client_max_window_bits=\(clientMaxWindowBits)" : "client_max_window_bits"
    )
    return parts.joined(separator: "; ")
  }

  /// Checks the server's answer to ``offer`` and settles what holds.
  ///
  /// - Parameter answer: The extension as the server named it.
  /// - Returns: The parameters, or nil if the answer is not one that the offer allows.
  func settle(_ answer: Extension) -> DeflateParameters? {
    guard let given = GivenParameters(answer.parameters, isOffer: false) else { return nil }
    // Sections 7.1.1.1 and 7.1.2.1: what the offer asks of the server, an answer has to grant. Both
    // `no_context_takeover` and `server_max_window_bits` may also stand there unasked.
    guard given.serverNoContextTakeover || !serverNoContextTakeover else { return nil }
    guard given.serverMaxWindowBits ?? 15 <= serverMaxWindowBits else { return nil }
    var parameters = DeflateParameters()
    parameters.serverNoContextTakeover = given.serverNoContextTakeover
    parameters.clientNoContextTakeover = given.clientNoContextTakeover || clientNoContextTakeover
    parameters.serverMaxWindowBits = given.serverMaxWindowBits ?? 15
    parameters.clientMaxWindowBits = min(given.clientMaxWindowBits ?? 15, clientMaxWindowBits)
    return parameters
  }

  /// Decides on a client's offer (section 5.1: the server takes the first that it can accept).
  ///
  /// - Parameter offer: The extension as the client named it.
  /// - Returns: The parameters and the answer, or nil to decline.
  func accept(_ offer: Extension) -> (parameters: DeflateParameters, answer: String)? {
    guard offer.name == Self.name,
      let asked = GivenParameters(offer.parameters, isOffer: true)
    else { return nil }
    var parameters = DeflateParameters()
    parameters.serverNoContextTakeover = asked.serverNoContextTakeover || serverNoContextTakeover
    parameters.clientNoContextTakeover = asked.clientNoContextTakeover || clientNoContextTakeover
    parameters.serverMaxWindowBits = min(asked.serverMaxWindowBits ?? 15, serverMaxWindowBits)
    var parts = [Self.name]
    if parameters.serverNoContextTakeover { parts.append("server_no_context_takeover") }
    if parameters.clientNoContextTakeover { parts.append("client_no_context_takeover") }
    if asked.serverMaxWindowBits != nil || parameters.serverMaxWindowBits < 15 {
      parts.append("server_max_window_bits=\(parameters.serverMaxWindowBits)")
    }
    // Section 7.1.2.2: only a client that names the parameter can be told to use a smaller window.
    if asked.namesClientMaxWindowBits {
      let bits = min(asked.clientMaxWindowBits ?? 15, clientMaxWindowBits)
      parameters.clientMaxWindowBits = bits
      if bits < 15 { parts.append("client_max_window_bits=\(bits)") }
    }
    return (parameters, parts.joined(separator: "; "))
  }
}

/// The four parameters as they were written.
private struct GivenParameters {
  var serverNoContextTakeover = false
  var clientNoContextTakeover = false
  var serverMaxWindowBits: Int?
  var clientMaxWindowBits: Int?
  var namesClientMaxWindowBits = false

  /// Section 7.1: an unknown or repeated parameter, or one with an invalid value, makes an offer
  /// unacceptable and an answer an error.
  init?(_ parameters: [Extension.Parameter], isOffer: Bool) {
    guard Set(parameters.map(\.name)).count == parameters.count else { return nil }
    for parameter in parameters {
      switch (parameter.name, parameter.value) {
      case ("server_no_context_takeover", nil):
        serverNoContextTakeover = true
      case ("client_no_context_takeover", nil):
        clientNoContextTakeover = true
      case ("server_max_window_bits", let value?):
        guard let bits = Self.windowBits(value) else { return nil }
        serverMaxWindowBits = bits
      case ("client_max_window_bits", let value?):
        guard let bits = Self.windowBits(value) else { return nil }
        clientMaxWindowBits = bits
        namesClientMaxWindowBits = true
      case ("client_max_window_bits", nil) where isOffer:
        namesClientMaxWindowBits = true
      default:
        return nil
      }
    }
  }

  /// "a decimal integer value without leading zeroes between 8 to 15, inclusive".
  private static func windowBits(_ text: String) -> Int? {
    DeflateParameters.windowBits.first { text == "\($0)" }
  }
}
