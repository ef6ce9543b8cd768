// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How messages come otherwise than one JSON text in one binary frame, each of them once and in
/// order.
public enum Distortion: String, Sendable, Hashable, CaseIterable {
  /// Each message comes in two, as when the gateway makes a message of every frame that it gets
  /// (protocol reference 1.6).
  case split
  /// Each message comes in frames of a few bytes.
  case fragments
  /// Each message comes as text.
  case text
  /// Of each two quotes of an instrument the later one comes first.
  case disorder
  /// The topic names no exchange where the command did; `conidEx` does.
  case topicsWithoutExchange = "topics-without-exchange"
}

/// A distortion at work: what it holds back of one socket.
struct DistortedOutput: Sendable {
  private var held: [Substring: String] = [:]

  /// Gives messages another form.
  ///
  /// - Parameters:
  ///   - distortion: How; nil gives back what was held.
  ///   - outputs: What is to be sent.
  /// - Returns: What to send instead.
  mutating func apply(
    _ distortion: Distortion?,
    to outputs: [SocketOutput]
  ) -> [SocketOutput] {
    guard distortion != nil || !held.isEmpty else { return outputs }
    var result: [SocketOutput] = []
    if distortion != .disorder {
      result += held.keys.sorted().compactMap { held[$0].map { .message($0) } }
      held = [:]
    }
    for output in outputs {
      guard case .message(let text) = output else {
        result.append(output)
        continue
      }
      switch distortion {
      case .split:
        let bytes = Array(text.utf8)
        let middle = bytes.count / 2
        result += [.odd(.binary(Array(bytes[..<middle]))), .odd(.binary(Array(bytes[middle...])))]
      case .fragments: result.append(.odd(.fragments(Array(text.utf8), length: 7)))
      case .text: result.append(.odd(.text(Array(text.utf8))))
      case .disorder: result += swapped(text)
      case .topicsWithoutExchange, nil: result.append(output)
      }
    }
    return result
  }

  private mutating func swapped(_ text: String) -> [SocketOutput] {
    // The topic stands last in every quote but the first image.
    guard text.hasPrefix("{\"server_id\""), let plus = text.lastIndex(of: "+") else {
      return [.message(text)]
    }
    let target = text[plus...]
    guard let earlier = held.removeValue(forKey: target) else {
      held[target] = text
      return []
    }
    return [.message(text), .message(earlier)]
  }
}
