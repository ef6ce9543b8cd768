// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension HTTPFields {
  /// The members of a comma-separated field, from all its lines (RFC 9110 §5.6.1).
  ///
  /// Commas inside a quoted string do not separate. Empty members, which the grammar lets a
  /// sender produce by accident, are left out.
  ///
  /// - Parameter name: The field's name, in any case.
  /// - Returns: The members in order, without the white space around them.
  package func listMembers(of name: String) -> [String] {
    values(of: name).flatMap(Self.members)
  }

  /// Whether a list such as `Connection: keep-alive, Upgrade` holds a token.
  ///
  /// - Parameters:
  ///   - token: What to look for, in any case.
  ///   - name: The field's name, in any case.
  /// - Returns: Whether it is there, in any line of that name.
  package func contains(token: String, in name: String) -> Bool {
    listMembers(of: name).contains { $0.equalsIgnoringASCIICase(token) }
  }

  private static func members(of value: String) -> [String] {
    var members: [String] = []
    var start = value.utf8.startIndex
    var quoted = false
    var escaped = false
    func take(upTo end: String.Index) {
      let member = value.utf8[start..<end].trimmingOptionalWhitespace()
      if !member.isEmpty { members.append(String(Substring(member))) }
    }
    for index in value.utf8.indices {
      let byte = value.utf8[index]
      if escaped {
        escaped = false
      } else if quoted && byte == UInt8(ascii: "\\") {
        escaped = true
      } else if byte == UInt8(ascii: "\"") {
        quoted.toggle()
      } else if byte == UInt8(ascii: ",") && !quoted {
        take(upTo: index)
        start = value.utf8.index(after: index)
      }
    }
    take(upTo: value.utf8.endIndex)
    return members
  }
}
