// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import HTTPClient
import JSON
import Transport

extension IbkrError {
  /// The error of a call that got no answer.
  ///
  /// - Parameters:
  ///   - error: What became of the request.
  ///   - call: The method and path, without query.
  ///   - url: The server.
  ///   - access: What is talked to.
  /// - Returns: The error, with what to do.
  static func noAnswer(
    _ error: HTTPClientError,
    to call: String,
    of url: WebURL,
    by access: Access = .gateway
  ) -> IbkrError {
    if let tls = error.transport?.tls {
      return IbkrError(
        .untrusted,
        "\(url.origin) is not trusted: \(tls)",
        at: call,
        remedy: tls.pin == nil
          ? nil : "trust that very key with a pin, or the authority behind it with a CA file"
      )
    }
    switch error.code {
    case .cannotConnect:
      return IbkrError(.network, error.transport?.description ?? error.description, at: call)
    case .timedOut:
      return IbkrError(
        .timeout,
        "\(url.origin) did not answer in time",
        at: call,
        remedy: access == .gateway
          ? "if this goes on, restart the gateway: it can be up and yet be stuck"
          : "IBKR's servers may be restarting: it will be tried again"
      )
    case .closed, .cancelled:
      return IbkrError(.closed, error.description, at: call)
    case .invalidRequest:
      return IbkrError(.invalidConfiguration, error.description, at: call)
    case .invalidResponse:
      return IbkrError(
        .unexpectedAnswer,
        error.description,
        at: call,
        remedy: access.isRightServer
      )
    default:
      return IbkrError(.network, error.description, at: call)
    }
  }

  /// The error of a call whose answer is a refusal, nil if it is none (protocol reference 3.9).
  ///
  /// - Parameters:
  ///   - head: The answer's head.
  ///   - body: The answer's body as JSON; nil if it is no JSON.
  ///   - text: The answer's body as text, for what is no JSON.
  ///   - call: The method and path, without query.
  ///   - url: The server.
  ///   - access: What is talked to.
  ///   - now: The realtime clock, in nanoseconds since 1970.
  /// - Returns: The error, with what to do.
  static func refusal(
    _ head: ResponseHead,
    _ body: JSONValue?,
    text: String,
    to call: String,
    of url: WebURL,
    by access: Access = .gateway,
    now: Int64 = 0
  ) -> IbkrError? {
    let said = ServerWords.sanitized(body?["error"]?.string ?? body?["message"]?.string ?? "")
    let words = said.isEmpty ? "" : " and said: \(said)"
    switch head.status {
    case 200..<300:
      guard body?["error"] != nil else { return nil }
      if said.contains("no session") || said.contains("not authenticated") {
        return notLoggedIn(said, call, url, access)
      }
      return IbkrError(.server, "\(url.origin) refused the call\(words)", at: call)
    case 401:
      return notLoggedIn(said, call, url, access)
    case 410:
      return IbkrError(
        .sessionGone,
        "\(url.origin) has given the session up (410)\(words)",
        at: call,
        remedy: access == .gateway
          ? "log in at \(url.origin) in a browser on the gateway's machine"
          : "generate a new live session token; if it is refused again, try another server, as "
            + "https://1.api.ibkr.com/v1/api/"
      )
    case 400 where text.contains("no bridge") || said.contains("no bridge"):
      return noBrokerageSession(call, url, access)
    case 403 where head.fields["Server"]?.hasPrefix("AirTunes") == true:
      return IbkrError(
        .server,
        "the AirPlay receiver of this Mac answered at \(url.origin)",
        at: call,
        remedy: "move the gateway to another port (listenPort in conf.yaml) and give its URL"
      )
    case 404:
      return IbkrError(
        .server,
        "\(url.origin) does not know the call (404)",
        at: call,
        remedy: "the URL must end in /v1/api"
      )
    case 429:
      let wait = head.fields["Retry-After"].flatMap { RetryAfter.nanoseconds(of: $0, now: now) }
      return IbkrError(
        .rateLimited,
        "\(url.origin) was asked too often (429)\(words)",
        at: call,
        remedy: wait.map { "wait \($0 / 1_000_000_000) s, as the server says" }
          ?? "wait 15 minutes; every request before that may prolong it",
        retryAfter: wait.map { .nanoseconds($0) }
      )
    case 500 where text.contains("Internal Server Error"):
      return IbkrError(
        .server,
        "\(url.origin) failed (500)",
        at: call,
        remedy: "if every call does, look at ips.allow in the gateway's conf.yaml: it must not "
          + "hold a bare *"
      )
    default:
      return IbkrError(.server, "\(url.origin) answered \(head.status)\(words)", at: call)
    }
  }

  private static func notLoggedIn(
    _ said: String,
    _ call: String,
    _ url: WebURL,
    _ access: Access
  ) -> IbkrError {
    let words = said.isEmpty ? "" : " and said: \(said)"
    return switch access {
    case .gateway: nobodyLoggedIn(words, call, url)
    case .oauth:
      IbkrError(
        .authentication,
        "\(url.origin) refused the login\(words)",
        at: call,
        remedy: remedy(forOAuth: said)
      )
    }
  }

  private static func nobodyLoggedIn(_ words: String, _ call: String, _ url: WebURL) -> IbkrError {
    IbkrError(
      .authentication,
      "nobody is logged in at \(url.origin)\(words)",
      at: call,
      remedy: "log in at \(url.origin) in a browser on the gateway's machine"
    )
  }

  private static func noBrokerageSession(
    _ call: String,
    _ url: WebURL,
    _ access: Access
  ) -> IbkrError {
    switch access {
    case .gateway: nobodyLoggedIn(" to the brokerage session", call, url)
    case .oauth:
      IbkrError(
        .authentication,
        "there is no brokerage session at \(url.origin)",
        at: call,
        remedy: "open it with initializeBrokerageSession()"
      )
    }
  }

  /// What to do about a refusal of OAuth (protocol reference 2.8 and 7.2, numbers 24 and 25).
  private static func remedy(forOAuth said: String) -> String {
    let said = said.lowercased()
    if said.contains("invalid consumer") {
      return "is the consumer key spelt right? A new one, or a new public key, works only after "
        + "the next nightly restart of its region; asking often does not help"
    }
    if said.contains("lst failed") || said.contains("access secret") {
      return "the access token secret is an old one, or belongs to another consumer key: generate "
        + "the token again on the self-service OAuth page"
    }
    if said.contains("signature") {
      return "are the signature and the encryption key swapped, is the Diffie-Hellman prime the "
        + "registered one, and is the clock right?"
    }
    if said.contains("timestamp") || said.contains("nonce") {
      return "is this machine's clock right?"
    }
    if said.contains("access token") {
      return "the access token is not this consumer key's: copy it again"
    }
    return "the live session token may have ended: a new one is needed"
  }

  /// The error of an answer that is not what the call promises.
  ///
  /// - Parameters:
  ///   - what: What is missing.
  ///   - call: The method and path, without query.
  ///   - url: The server.
  ///   - access: What is talked to.
  /// - Returns: The error, with what to do.
  static func unexpected(
    _ what: String,
    from call: String,
    of url: WebURL,
    by access: Access = .gateway
  ) -> IbkrError {
    IbkrError(
      .unexpectedAnswer,
      "\(url.origin) answered, but \(what)",
      at: call,
      remedy: access.isRightServer
    )
  }
}

/// What a client talks to, which decides what helps.
enum Access: Sendable {
  case gateway, oauth

  /// The question to ask somebody whom no such server has answered.
  var isRightServer: String {
    switch self {
    case .gateway: "is a Client Portal Gateway listening there?"
    case .oauth: "is it https://api.ibkr.com/v1/api/?"
    }
  }
}

extension IbkrClient {
  /// What this client talks to.
  nonisolated var access: Access { usesOAuth ? .oauth : .gateway }
}
