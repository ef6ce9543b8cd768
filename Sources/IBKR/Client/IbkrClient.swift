// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import HTTP1
import HTTPClient
import JSON
public import Logging
package import OAuth1a
public import Transport

/// The REST side of the Web API: the session, and what a stream has to look up.
///
/// It talks to a Client Portal Gateway, at which a person has logged in with a browser, or, with
/// ``IbkrConfiguration/oauth``, to IBKR itself. A gateway is never logged out of: that login is the
/// person's (protocol reference 3.5).
///
/// The actor lives on an `EventLoop` and only waits there; answers are decoded elsewhere. Calls
/// may be made at the same time, and each has a deadline.
public actor IbkrClient {
  /// What the client was made with.
  public nonisolated let configuration: IbkrConfiguration

  /// The loop that this client, and every stream with it, lives on.
  public nonisolated let loop: EventLoop

  /// The actor's executor: the loop's thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    loop.asUnownedSerialExecutor()
  }

  /// What makes connections, for REST and for the socket alike.
  package nonisolated let connector: any Connector

  /// Whom to trust, read once: the system's authorities take the loop longer to read than it may be
  /// held up while quotes come in.
  nonisolated let tls: TLSContext

  /// Where problems that are no error of a call are told.
  package nonisolated let logger: Logger

  /// Where the socket is; with OAuth its query is a secret.
  package nonisolated let webSocketURL: WebURL

  /// The base of all calls.
  nonisolated let base: WebURL
  private nonisolated let ownsLoop: Bool
  let http: HTTPClient

  /// Requests that wait for their turn.
  var pacing = PacingQueue()
  /// What has become of the OAuth session.
  var session = OAuthSession()
  /// One live session token at a time: a new one may end the older one.
  let tokenFlight = SingleFlight()
  /// One log-in at a time.
  let loginFlight = SingleFlight()

  /// Makes a client; nothing is sent before the first call.
  ///
  /// - Parameters:
  ///   - configuration: Where the server is and whom to trust.
  ///   - loop: Where to live; nil for a thread of its own, which ends with the client.
  ///   - logger: Where problems are told.
  /// - Throws: ``IbkrError`` with `invalidConfiguration` for an address, a CA file or a key that
  ///   cannot be used.
  public init(
    configuration: IbkrConfiguration = IbkrConfiguration(),
    loop: EventLoop? = nil,
    logger: Logger = Logger(label: "ibkr")
  ) throws(IbkrError) {
    try self.init(
      configuration: configuration,
      loop: loop,
      connector: NetworkConnector(),
      logger: logger
    )
  }

  /// Makes a client whose connections come from somewhere else, for tests.
  package init(
    configuration: IbkrConfiguration,
    loop: EventLoop?,
    connector: any Connector,
    logger: Logger = Logger(label: "ibkr")
  ) throws(IbkrError) {
    try configuration.oauth?.verify()
    do {
      base = try WebURL(configuration.effectiveRESTURL)
      guard base.scheme == .https || base.scheme == .http else {
        throw HTTPError(.unsupportedScheme, "the REST address must begin with https:// or http://")
      }
      webSocketURL = try Self.socketURL(configuration, base)
    } catch {
      throw IbkrError(
        .invalidConfiguration,
        "\(error)",
        at: "the server's address",
        remedy: "write it as https://localhost:5000/v1/api"
      )
    }
    do {
      tls = try TLSContext(client: configuration.trust)
    } catch {
      throw IbkrError(.invalidConfiguration, "\(error)")
    }
    ownsLoop = loop == nil
    do {
      self.loop = try loop ?? EventLoop(name: "ibkr-io")
    } catch {
      throw IbkrError(.invalidConfiguration, "\(error)")
    }
    self.configuration = configuration
    self.connector = connector
    self.logger = logger
    http = HTTPClient(
      loop: self.loop,
      connector: connector,
      tls: tls,
      proxy: configuration.proxy(for: base.host)
    )
  }

  deinit {
    session.tickler?.cancel()
    if let duty = session.exitDuty { ExitSignals.remove(duty) }
    if ownsLoop { loop.stop() }
  }

  /// Closes the connections; calls from now on fail.
  ///
  /// With OAuth the session is given back first, if ``OAuth1aConfig/shutdownOAuth`` or
  /// ``registerShutdownHandler()`` says so. A gateway's login is left as it is.
  public func close() async {
    await endSession()
    await http.close()
  }

  // MARK: The socket

  private static func socketURL(
    _ configuration: IbkrConfiguration,
    _ base: WebURL
  ) throws(HTTPError) -> WebURL {
    let oauth = configuration.oauth
    if let text = configuration.webSocketURL ?? oauth?.webSocketURL {
      let query = oauth?.accessToken.map { token in
        (text.contains("?") ? "&" : "?") + "oauth_token="
          + WebURL.percentEncoded(token.exposedText)
      }
      let url = try WebURL(text + (query ?? ""))
      guard url.scheme == .wss || url.scheme == .ws else {
        throw HTTPError(.unsupportedScheme, "the socket's address must begin with wss:// or ws://")
      }
      return url
    }
    var url = try base.appending(path: "ws")
    url.scheme = base.scheme.isSecure ? .wss : .ws
    return url
  }

  /// The header fields of the socket's upgrade request (protocol reference 1.4).
  ///
  /// - Parameter session: The session of a fresh `tickle`.
  /// - Returns: Names and values; the cookie is a secret.
  package nonisolated func webSocketHeaders(
    session: Secret
  ) -> [(name: String, value: String)] {
    guard usesOAuth else {
      // The gateway wants the JSON object itself, unquoted and not percent-encoded.
      return [("Cookie", "api={\"session\":\"\(session.exposedText)\"}")]
    }
    // The edge of api.ibkr.com refuses what does not name itself; this is what a gateway says.
    return [("Cookie", "api=\(session.exposedText)"), ("User-Agent", "ClientPortalGW/1")]
  }

  // MARK: Calls

  /// What the server says to a call, when it does not refuse it.
  struct Answer: Sendable {
    /// The answer, read.
    let value: JSONValue
    /// The answer as it came.
    let bytes: [UInt8]
  }

  /// Makes a call and gives its answer as JSON.
  ///
  /// With OAuth it is signed, and the first one logs in before, unless
  /// ``OAuth1aConfig/initOAuth`` is off.
  ///
  /// - Parameters:
  ///   - method: The method.
  ///   - path: The path below the base, percent-encoded.
  ///   - query: Names and values.
  ///   - body: JSON text; nil for none.
  ///   - urgency: Whether it may wait for others.
  /// - Returns: The answer, which is not an error.
  /// - Throws: ``IbkrError`` that says what happened and what to do.
  func call(
    _ method: HTTPMethod,
    _ path: String,
    query: [(name: String, value: String)] = [],
    body: String? = nil,
    urgency: CallUrgency = .live
  ) async throws(IbkrError) -> JSONValue {
    try await answer(method, path, query: query, body: body, urgency: urgency).value
  }

  /// Makes a call and gives its answer with its bytes.
  func answer(
    _ method: HTTPMethod,
    _ path: String,
    query: [(name: String, value: String)] = [],
    body: String? = nil,
    urgency: CallUrgency = .live
  ) async throws(IbkrError) -> Answer {
    try await logInOnce()
    return try await exchange(method, path, query: query, body: body, urgency: urgency)
  }

  /// Makes a call in the session that there is.
  func exchange(
    _ method: HTTPMethod,
    _ path: String,
    query: [(name: String, value: String)] = [],
    body: String? = nil,
    urgency: CallUrgency = .live
  ) async throws(IbkrError) -> Answer {
    let target = url(path, query)
    return try await send(method, target, path, body, urgency: urgency) { () throws(IbkrError) in
      try await self.authorization(method, target, query)
    }
  }

  /// Sends a request when its turn has come, authorised anew for each attempt, and reads its answer.
  ///
  /// - Parameters:
  ///   - method: The method.
  ///   - target: The URL.
  ///   - path: The path below the base, for errors.
  ///   - body: JSON text; nil for none.
  ///   - urgency: Whether it may wait for others.
  ///   - authorize: Gives the value of the `Authorization` header; nil for none.
  /// - Returns: The answer, which is not an error.
  /// - Throws: ``IbkrError`` that says what happened and what to do.
  func send(
    _ method: HTTPMethod,
    _ target: WebURL,
    _ path: String,
    _ body: String? = nil,
    urgency: CallUrgency = .live,
    authorize: () async throws(IbkrError) -> String?
  ) async throws(IbkrError) -> Answer {
    let call = "\(method.name) \(path)"
    var response: HTTPResponse?
    for isRepetition in [false, true] where response == nil {
      let ticket = try await pace(method, path, urgency)
      // Whatever comes of it, the others must not wait for it any longer.
      defer { passed(ticket, response) }
      let request = try await request(method, target, call, body, authorize)
      do throws(HTTPClientError) {
        response = try await http.send(request)
      } catch {
        // A connection that was kept has been closed meanwhile, as often as not.
        guard !isRepetition, error.code == .connectionLost else {
          throw .noAnswer(error, to: call, of: base, by: access)
        }
      }
    }
    guard let response else { throw unexpected("nothing came", from: call) }
    let now = loop.timestamp().realtime
    let value = try await Self.decode(response, to: call, of: base, by: access, now: now).get()
    return Answer(value: value, bytes: response.body)
  }

  private func request(
    _ method: HTTPMethod,
    _ target: WebURL,
    _ call: String,
    _ body: String?,
    _ authorize: () async throws(IbkrError) -> String?
  ) async throws(IbkrError) -> HTTPClientRequest {
    var request = HTTPClientRequest(method, target, timeout: configuration.requestTimeout)
    // Every request here may be repeated: none places an order. But each counts against IBKR's
    // limits, and with OAuth a signature counts once: so it is not the HTTP client that does it.
    request.isRepeatable = false
    if let body { request.body = Array(body.utf8) }
    let authorization = try await authorize()
    do throws(HTTPError) {
      if body != nil { try request.fields.append("Content-Type", "application/json") }
      if let authorization { try request.fields.append("Authorization", authorization) }
    } catch {
      throw IbkrError(.invalidConfiguration, "\(error)", at: call)
    }
    return request
  }

  /// The URL of a call.
  func url(_ path: String, _ query: [(name: String, value: String)] = []) -> WebURL {
    // The paths are ours, so they can be appended.
    (try? base.appending(path: path, query: query)) ?? base
  }

  /// Reads an answer, off the loop: an answer of a megabyte must not hold up a quote.
  @concurrent
  private static func decode(
    _ response: HTTPResponse,
    to call: String,
    of url: WebURL,
    by access: Access,
    now: Int64
  ) async -> Result<JSONValue, IbkrError> {
    let body = try? JSONValue(parsing: response.body)
    let text = body == nil ? String(decoding: response.body.prefix(4_096), as: UTF8.self) : ""
    let refusal = IbkrError.refusal(
      response.head,
      body,
      text: text,
      to: call,
      of: url,
      by: access,
      now: now
    )
    if let refusal { return .failure(refusal) }
    guard let body else {
      return .failure(.unexpected("not in JSON", from: call, of: url, by: access))
    }
    return .success(body)
  }

  /// The error of an answer that lacks something.
  nonisolated func unexpected(_ what: String, from call: String) -> IbkrError {
    .unexpected(what, from: call, of: base, by: access)
  }
}
