// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Transport
import WebSocket

/// Why a connection is over, as a gap will say it.
struct ConnectionLoss: Error, Hashable {
  let reason: GapReason
  let detectedBy: String
  /// What the run ends with, if it never had a good connection.
  let error: IbkrError

  init(_ reason: GapReason, _ detectedBy: String, error: IbkrError) {
    self.reason = reason
    self.detectedBy = detectedBy
    self.error = error
  }

  /// A connection that could not be made.
  init(_ error: IbkrError) {
    let reason: GapReason =
      switch error.code {
      case .authentication, .sessionGone: .auth
      case .competing: .competing
      default: .disconnect
      }
    self.init(reason, "\(error.code): \(error.what)", error: error)
  }

  /// A connection that the server has closed.
  static func closed(code: CloseCode?, at place: String) -> ConnectionLoss {
    let words = code.map { "closed by the server with code \($0)" } ?? "closed by the server"
    return ConnectionLoss(
      .disconnect,
      words,
      error: IbkrError(.network, "the connection was \(words)", at: place)
    )
  }
}

extension IbkrError {
  /// The error of a WebSocket that could not be opened, or broke.
  init(_ error: WebSocketError, at place: String) {
    switch error.code {
    case .handshake where error.status == 401 || error.status == 403:
      self.init(
        .authentication,
        "the server refuses the session (\(error))",
        at: place,
        remedy: "log in again"
      )
    case .handshakeTimedOut, .writeTimedOut, .pongTimedOut, .closeTimedOut:
      self.init(.timeout, "\(error)", at: place)
    case .invalidRequest:
      self.init(.invalidConfiguration, "\(error)", at: place)
    case .handshake, .redirect, .protocolViolation, .tooLarge:
      self.init(
        .unexpectedAnswer,
        "\(error)",
        at: place,
        remedy: "is a Client Portal Gateway at this address?"
      )
    default:
      if error.transport?.tls != nil {
        self.init(.untrusted, "\(error)", at: place)
      } else {
        self.init(.network, "\(error)", at: place)
      }
    }
  }
}
