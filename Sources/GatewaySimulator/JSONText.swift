// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

extension String {
  /// The string as a JSON token, quoted and escaped.
  var asJSON: String {
    var bytes: [UInt8] = []
    bytes.appendJSON(string: self)
    return String(decoding: bytes, as: UTF8.self)
  }
}
