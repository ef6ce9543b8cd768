// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import JSON
import OAuth1a

extension Message {
  /// The message as a tree, if the server says it about this topic and reports no error.
  ///
  /// IBKR has sent bytes that are not UTF-8; they become replacement characters here, because one
  /// wrong letter in a company's name must not cost an order.
  func body(of topic: Topic) -> JSONValue? {
    guard self.topic == topic, !record.flags.contains(.error) else { return nil }
    return tree
  }

  /// The message as a tree, if it is an object of the server's.
  var tree: JSONValue? {
    guard direction == .inbound, self.topic != nil else { return nil }
    let value = parsed
    return value?.members == nil ? nil : value
  }

  private var parsed: JSONValue? {
    try? JSONValue(parsing: isUTF8 ? bytes : Array(text.utf8))
  }

  /// The orders or executions of a message, whether the feed or an answer by REST holds them.
  ///
  /// - Parameters:
  ///   - topic: The feed.
  ///   - name: Under which name an answer by REST holds them, if it is no list.
  /// - Returns: One row for each, nil for a message of another topic and for an error.
  func rows(of topic: Topic, named name: String) -> [Row]? {
    guard kind.isREST else { return body(of: topic).flatMap { Self.rows($0["args"]) } }
    guard self.topic == topic, let answer = parsed else { return nil }
    return Self.rows(answer.elements == nil ? answer[name] : answer)
  }

  /// The parts of a message that is documented to have one object where it really has an array.
  package static func rows(_ value: JSONValue?) -> [Row]? {
    if let elements = value?.elements { return elements.compactMap { Row($0) } }
    return Row(value).map { [$0] }
  }

  /// The parts of the topic behind its name: `ssd+DU1` has one.
  package static func targets(_ body: JSONValue) -> [Substring] {
    (body["topic"]?.string ?? "").split(separator: "+").dropFirst().map(\.self)
  }

  /// The account that the topic names.
  static func account(_ body: JSONValue) -> Secret? {
    targets(body).first.map { Secret($0) }
  }
}
