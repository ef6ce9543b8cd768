// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1

/// One member of `Sec-WebSocket-Extensions` (RFC 6455 section 9.1).
///
/// ```
/// extension-list  = 1#extension
/// extension       = extension-token *( ";" extension-param )
/// extension-param = token [ "=" (token | quoted-string) ]
/// ```
struct Extension: Equatable {
  /// The name of the field.
  static let field = "Sec-WebSocket-Extensions"

  /// A parameter; the value is nil where none is given.
  struct Parameter: Equatable {
    let name: String
    let value: String?
  }

  let name: String
  let parameters: [Parameter]

  /// Reads one member of the list.
  ///
  /// - Parameter text: The member, without the white space around it.
  /// - Returns: Nil if it does not follow the grammar.
  static func parse(_ text: String) -> Extension? {
    // A value that must be a token even when it is quoted cannot hold a semicolon.
    let parts = text.split(separator: ";", omittingEmptySubsequences: false).map(trimmed)
    guard let name = parts.first, name.isHTTPToken else { return nil }
    var parameters: [Parameter] = []
    for part in parts.dropFirst() {
      guard let parameter = parse(parameter: part) else { return nil }
      parameters.append(parameter)
    }
    return Extension(name: String(name), parameters: parameters)
  }

  private static func parse(parameter text: Substring) -> Parameter? {
    guard let equals = text.firstIndex(of: "=") else {
      return text.isHTTPToken ? Parameter(name: String(text), value: nil) : nil
    }
    let name = trimmed(text[..<equals])
    var value = trimmed(text[text.index(after: equals)...])
    // "When using the quoted-string syntax variant, the value after quoted-string unescaping MUST
    // conform to the 'token' ABNF."
    if value.count >= 2, value.first == "\"", value.last == "\"" {
      value = value.dropFirst().dropLast()
    }
    guard name.isHTTPToken, value.isHTTPToken else { return nil }
    return Parameter(name: String(name), value: String(value))
  }

  private static func trimmed(_ text: Substring) -> Substring {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    let start = text.drop(while: isSpace)
    guard let last = start.lastIndex(where: { !isSpace($0) }) else { return start }
    return start[...last]
  }

  /// Reads every member of every line of the field.
  ///
  /// - Returns: The members in order; nil in the place of one that does not follow the grammar.
  static func list(in fields: HTTPFields) -> [Extension?] {
    fields.listMembers(of: field).map(parse)
  }
}
