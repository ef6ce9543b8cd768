// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import JSON
import OAuth1a

/// A request to the gateway's REST side, taken apart.
struct GatewayRequest: Sendable {
  let method: String
  /// The path below `/v1/api`, percent-encoding removed, as `/iserver/accounts`.
  let path: String
  let query: [String: String]
  let body: [UInt8]
  /// The value of the `Authorization` header.
  let authorization: String?
  let hasUserAgent: Bool
  /// The value of the cookie `api`, which names the session of a socket.
  let sessionCookie: String?
  /// The addresses that a client may have signed, without the query.
  ///
  /// The first is the one that it has asked for by `Host`. IBind says `api.ibkr.com` there whatever
  /// it is connected to, so the server's own addresses count as well.
  let urls: [String]
  /// The query as it was sent.
  let search: String

  /// Reads a request's target and headers.
  ///
  /// - Returns: nil for a path that is not below the gateway's.
  init?(
    method: String,
    target: String,
    fields: HTTPFields = HTTPFields(),
    scheme: String = "https",
    ownHosts: [String] = [],
    body: [UInt8] = []
  ) {
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    // The gateway still rewrites the old name of its API.
    guard let base = ["/v1/api/", "/v1/portal/"].first(where: { parts[0].hasPrefix($0) }) else {
      return nil
    }
    self.method = method
    path = Self.decoded(parts[0].dropFirst(base.utf8.count - 1))
    var query: [String: String] = [:]
    for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      query[Self.decoded(sides[0])] = sides.count > 1 ? Self.decoded(sides[1]) : ""
    }
    self.query = query
    self.body = body
    authorization = fields["Authorization"]
    hasUserAgent = fields["User-Agent"] != nil
    sessionCookie = Self.session(in: fields["Cookie"] ?? "")
    urls = ([fields["Host"] ?? ""] + ownHosts).map { "\(scheme)://\($0)\(parts[0])" }
    search = parts.count > 1 ? String(parts[1]) : ""
  }

  /// A parameter from the query, or from a body that is a JSON object.
  func parameter(_ name: String) -> String? {
    if let value = query[name] { return value }
    guard let value = (try? JSONValue(parsing: body))?[name] else { return nil }
    return value.string ?? value.bool.map { "\($0)" }
  }

  /// The session of `api=<session>`, or of `api={"session":"<session>"}`.
  private static func session(in cookies: String) -> String? {
    for cookie in cookies.split(separator: ";") {
      let sides = cookie.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
      guard sides.count == 2, sides[0] == "api" else { continue }
      let object = try? JSONValue(parsing: Array(sides[1].utf8))
      return object?["session"]?.string ?? String(sides[1])
    }
    return nil
  }

  /// The text without percent-encoding; as it is where that is broken.
  private static func decoded(_ text: Substring) -> String {
    PercentEncoding.unquotePlus(text) ?? String(text)
  }
}

/// An answer of the REST side.
struct GatewayResponse: Sendable, Hashable {
  let status: Int
  let contentType: String
  let body: String
  /// The seconds of a `Retry-After`, where there is one.
  var retryAfter: Int64?
  /// Where else a browser finds what it wants.
  var location: String?

  private init(status: Int, contentType: String, body: String) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  /// JSON text as it is.
  static func json(_ body: String, status: Int = 200) -> GatewayResponse {
    GatewayResponse(status: status, contentType: "application/json; charset=utf-8", body: body)
  }

  /// A JSON object with one member.
  static func error(_ text: String, status: Int) -> GatewayResponse {
    .json(#"{"error":\#(text.asJSON),"statusCode":\#(status)}"#, status: status)
  }

  /// What the edge says to a client that is too fast.
  static func tooManyRequests(retryAfter: Int64? = nil) -> GatewayResponse {
    var response = error("Too Many Requests", status: 429)
    response.retryAfter = retryAfter
    return response
  }

  /// What a server says that has given the session up.
  static let gone = GatewayResponse(
    status: 410,
    contentType: "text/html; charset=utf-8",
    body: "gone"
  )

  /// Sends a browser somewhere else.
  static func redirection(_ location: String) -> GatewayResponse {
    var response = GatewayResponse(
      status: 302,
      contentType: "text/html; charset=utf-8",
      body: ""
    )
    response.location = location
    return response
  }

  /// What the gateway says to a path that it does not know.
  static let notFound = GatewayResponse(
    status: 404,
    contentType: "text/html; charset=utf-8",
    body: "<html><body><h1>Resource not found</h1></body></html>"
  )

  /// What the edge says to a request without a User-Agent.
  static let forbidden = GatewayResponse(
    status: 403,
    contentType: "text/html; charset=utf-8",
    body: "<html><body><h1>Access Denied</h1></body></html>"
  )

  /// What it says to everybody who is not logged in.
  static let unauthorized = GatewayResponse(
    status: 401,
    contentType: "text/html; charset=utf-8",
    body: ""
  )
}
