// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Why the client could not do what was asked.
///
/// Its description is one sentence that says what happened, where, and what to do about it. It never
/// holds a session, a token, an account or the query of an address.
public struct IbkrError: Error, Sendable, Hashable {
  /// The kind of failure, for code that reacts to it.
  public struct Code: Sendable, Hashable {
    private enum Storage: String, Sendable {
      case authentication, sessionGone, competing, network, timeout, untrusted, server, rateLimited
      case unexpectedAnswer, invalidConfiguration, invalidSubscription
      case unknownSymbol, ambiguousSymbol, overflow, closed, storage
    }

    private let storage: Storage

    private init(_ storage: Storage) { self.storage = storage }

    /// Nobody is logged in, or the login was refused or has ended.
    public static let authentication = Code(.authentication)
    /// The server has given the session up, and wants a new login (410).
    public static let sessionGone = Code(.sessionGone)
    /// Another login of the same user name holds the brokerage session.
    public static let competing = Code(.competing)
    /// The server could not be reached, or the connection broke.
    public static let network = Code(.network)
    /// The server was reached and did not answer in time.
    public static let timeout = Code(.timeout)
    /// The server's certificate is not trusted.
    public static let untrusted = Code(.untrusted)
    /// The server refused the request, in its own words.
    public static let server = Code(.server)
    /// Too many requests were made.
    public static let rateLimited = Code(.rateLimited)
    /// The answer is not what the interface promises.
    public static let unexpectedAnswer = Code(.unexpectedAnswer)
    /// The configuration cannot work.
    public static let invalidConfiguration = Code(.invalidConfiguration)
    /// The subscription cannot be expressed on the wire.
    public static let invalidSubscription = Code(.invalidSubscription)
    /// No instrument has this symbol.
    public static let unknownSymbol = Code(.unknownSymbol)
    /// Several instruments have this symbol: see ``IbkrError/candidates``.
    public static let ambiguousSymbol = Code(.ambiguousSymbol)
    /// A subscriber with the policy `fail` fell too far behind.
    public static let overflow = Code(.overflow)
    /// The client has been stopped.
    public static let closed = Code(.closed)
    /// A file of keys cannot be written, or would be overwritten.
    public static let storage = Code(.storage)
  }

  /// The kind of failure.
  public let code: Code

  /// What happened.
  public let what: String

  /// Where: the address without its query, the command, the symbol.
  public let place: String?

  /// What to do about it.
  public let remedy: String?

  /// The instruments between which ``Code/ambiguousSymbol`` cannot decide.
  public let candidates: [Instrument]

  /// How long the server, or its limits, want to be left alone; nil if nothing is known of it.
  public let retryAfter: Duration?

  /// Creates an error.
  ///
  /// - Parameters:
  ///   - code: The kind of failure.
  ///   - what: What happened, without a full stop.
  ///   - place: Where, if that is not part of `what`.
  ///   - remedy: What to do about it, without a full stop.
  ///   - candidates: The instruments to choose from.
  ///   - retryAfter: How long to leave the server alone.
  package init(
    _ code: Code,
    _ what: String,
    at place: String? = nil,
    remedy: String? = nil,
    candidates: [Instrument] = [],
    retryAfter: Duration? = nil
  ) {
    self.code = code
    self.what = what
    self.place = place
    self.remedy = remedy
    self.candidates = candidates
    self.retryAfter = retryAfter
  }
}

extension IbkrError: CustomStringConvertible {
  /// One sentence: what, where, what to do.
  public var description: String {
    var text = what
    if let place { text += " (\(place))" }
    if let remedy { text += ": \(remedy)" }
    return text
  }
}

extension IbkrError.Code: CustomStringConvertible {
  /// The name of the code.
  public var description: String { storage.rawValue }
}
