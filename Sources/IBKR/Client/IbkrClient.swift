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
/// It talks to a Client Portal Gateway, at which a person has logged in with a browser. Nothing
/// here ever logs out: the login is that person's (protocol reference 3.5).
///
/// The actor lives on an ``EventLoop`` and only waits there; answers are decoded elsewhere. Calls
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

  /// Where problems that are no error of a call are told.
  package nonisolated let logger: Logger

  private nonisolated let base: WebURL
  private nonisolated let socketURL: WebURL
  private nonisolated let ownsLoop: Bool
  private let http: HTTPClient

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
    let tls: TLSContext
    do {
      base = try WebURL(configuration.restURL)
      guard base.scheme == .https || base.scheme == .http else {
        throw HTTPError(.unsupportedScheme, "the REST address must begin with https:// or http://")
      }
      socketURL = try Self.socketURL(configuration, base)
    } catch {
      throw IbkrError(.invalidConfiguration, "\(error)")
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

  deinit { if ownsLoop { loop.stop() } }

  /// Closes the connections; calls from now on fail, and the gateway's login is left as it is.
  public func close() async {
    await http.close()
  }

  // MARK: The socket

  private static func socketURL(
    _ configuration: IbkrConfiguration,
    _ base: WebURL
  ) throws(HTTPError) -> WebURL {
    if let text = configuration.webSocketURL {
      let url = try WebURL(text)
      guard url.scheme == .wss || url.scheme == .ws else {
        throw HTTPError(.unsupportedScheme, "the socket's address must begin with wss:// or ws://")
      }
      return url
    }
    var url = try base.appending(path: "ws")
    url.scheme = base.scheme.isSecure ? .wss : .ws
    return url
  }

  /// Where the socket is.
  package nonisolated var webSocketURL: WebURL { socketURL }

  /// The header fields of the socket's upgrade request (protocol reference 1.4).
  ///
  /// - Parameter session: The session of a fresh `tickle`.
  /// - Returns: Names and values; the cookie is a secret.
  package nonisolated func webSocketHeaders(
    session: Secret
  ) -> [(name: String, value: String)] {
    // The gateway wants the JSON object itself, unquoted and not percent-encoded.
    [("Cookie", "api={\"session\":\"\(session.exposedText)\"}")]
  }

  // MARK: Calls

  /// Makes a call and gives its answer as JSON.
  ///
  /// - Parameters:
  ///   - method: The method.
  ///   - path: The path below the base, percent-encoded.
  ///   - query: Names and values.
  /// - Returns: The answer, which is not an error.
  /// - Throws: ``IbkrError`` that says what happened and what to do.
  func call(
    _ method: HTTPMethod,
    _ path: String,
    query: [(name: String, value: String)] = []
  ) async throws(IbkrError) -> JSONValue {
    let call = "\(method.name) \(path)"
    let response: HTTPResponse
    do throws(HTTPClientError) {
      response = try await http.send(
        HTTPClientRequest(
          method,
          url(path, query),
          timeout: configuration.requestTimeout,
          // Every POST here may be repeated: tickle and auth/status change nothing.
          isRepeatable: true
        )
      )
    } catch {
      throw .noAnswer(error, to: call, of: base)
    }
    return try await Self.decode(response, to: call, of: base).get()
  }

  private func url(_ path: String, _ query: [(name: String, value: String)]) -> WebURL {
    // The paths are ours, so they can be appended.
    (try? base.appending(path: path, query: query)) ?? base
  }

  /// Reads an answer, off the loop: an answer of a megabyte must not hold up a quote.
  @concurrent
  private static func decode(
    _ response: HTTPResponse,
    to call: String,
    of url: WebURL
  ) async -> Result<JSONValue, IbkrError> {
    let body = try? JSONValue(parsing: response.body)
    let text = body == nil ? String(decoding: response.body.prefix(4_096), as: UTF8.self) : ""
    let refusal = IbkrError.refusal(response.head, body, text: text, to: call, of: url)
    if let refusal { return .failure(refusal) }
    guard let body else {
      return .failure(.unexpected("not in JSON", from: call, of: url))
    }
    return .success(body)
  }

  /// The error of an answer that lacks something.
  nonisolated func unexpected(_ what: String, from call: String) -> IbkrError {
    .unexpected(what, from: call, of: base)
  }
}
