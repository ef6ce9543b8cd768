// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1

/// What a server answers to one request.
package struct HTTPAnswer: Sendable {
  /// The status code.
  package var status: Int
  /// The media type of the body.
  package var contentType: String
  /// The body.
  package var body: [UInt8]
  /// Whether only the head is sent, as for HEAD.
  package var sendsHeadOnly = false
  /// The methods that are allowed here, for 405.
  package var allow: String?

  /// Creates an answer.
  ///
  /// - Parameters:
  ///   - status: The status code.
  ///   - contentType: The media type.
  ///   - body: The body.
  package init(status: Int = 200, contentType: String, body: [UInt8]) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  /// Creates an answer in plain words.
  ///
  /// - Parameters:
  ///   - status: The status code.
  ///   - text: The words.
  package init(status: Int = 200, text: String) {
    self.init(status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
  }

  /// The answer as it goes over the wire.
  func message(closing: Bool) throws(HTTPError) -> [UInt8] {
    var fields = HTTPFields()
    try fields.append("Content-Type", contentType)
    try fields.append("Cache-Control", "no-store")
    if let allow { try fields.append("Allow", allow) }
    if closing { try fields.append("Connection", "close") }
    var head = try ResponseHead(status: status, reason: Self.reason(of: status), fields: fields)
    guard sendsHeadOnly else { return try head.message(body: body) }
    // The length is that of the body that GET would give (RFC 9110 section 9.3.2).
    try head.fields.append("Content-Length", String(body.count))
    var message: [UInt8] = []
    head.write(to: &message)
    return message
  }

  private static func reason(of status: Int) -> String {
    switch status {
    case 200: "OK"
    case 400: "Bad Request"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 503: "Service Unavailable"
    default: ""
    }
  }
}
