// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1

extension GatewayResponse {
  /// The answer as it goes over the wire, with the headers of recorded answers.
  func message() throws(HTTPError) -> [UInt8] {
    let reasons = [
      200: "OK", 302: "Found", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
      404: "Not Found",
      410: "Gone", 411: "Length Required", 429: "Too Many Requests", 500: "Internal Server Error",
      503: "Service Unavailable",
    ]
    var fields = HTTPFields()
    try fields.append("content-type", contentType)
    try fields.append("cache-control", "max-age=0, no-cache, no-store")
    try fields.append("x-response-time", "0ms")
    try fields.append("vary", "Accept-Encoding,Origin")
    if let location { try fields.append("location", location) }
    if let retryAfter { try fields.append("retry-after", "\(retryAfter)") }
    try fields.append("transfer-encoding", "chunked")
    var message: [UInt8] = []
    try ResponseHead(status: status, reason: reasons[status] ?? "", fields: fields)
      .write(to: &message)
    if !body.isEmpty {
      message += Array("\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n".utf8)
    }
    message += Array("0\r\n\r\n".utf8)
    return message
  }

  /// The answer to a POST that does not say how long its body is.
  static let lengthRequired = GatewayResponse.error("Length Required", status: 411)
}
