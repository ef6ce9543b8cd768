// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Finds the strings of a JSON text, and under which names they stand.
///
/// It does not ask whether the text is JSON: a secret must be found in a damaged message as well. A
/// string without an end reaches to the end of the text.
struct StringTokens {
  /// One string.
  struct Token {
    /// The bytes between its quotes.
    let content: Range<Int>
    /// Whether it is the name of a member.
    let isName: Bool
    /// The name that a value has, or the one of the list that it is in; nil for a name.
    let name: Range<Int>?
    /// The name of the object that the string stands in.
    let object: Range<Int>?
  }

  private struct Level {
    let isObject: Bool
    let name: Range<Int>?
  }

  private let text: UnsafeRawBufferPointer
  private var index = 0
  private var levels: [Level] = []
  /// Levels below the deepest that are kept: nothing that we look for lies as deep, and a message
  /// of brackets only must not take more memory than it has itself.
  private var deeper = 0
  private var pending: Range<Int>?

  private static let maximumDepth = 32

  init(_ text: UnsafeRawBufferPointer) {
    self.text = text
  }

  /// The next string, nil after the last.
  mutating func next() -> Token? {
    while index < text.count {
      switch text[index] {
      case UInt8(ascii: "\""): return string()
      case UInt8(ascii: "{"), UInt8(ascii: "["): open(isObject: text[index] == UInt8(ascii: "{"))
      case UInt8(ascii: "}"), UInt8(ascii: "]"): close()
      case UInt8(ascii: ","): pending = nil
      default: break
      }
      index += 1
    }
    return nil
  }

  private mutating func open(isObject: Bool) {
    if levels.count == Self.maximumDepth {
      deeper += 1
    } else {
      // What is in a list of lists stands under the outermost list's name.
      let name = pending ?? (levels.last.map(\.isObject) == false ? levels.last?.name : nil)
      levels.append(Level(isObject: isObject, name: name))
    }
    pending = nil
  }

  private mutating func close() {
    if deeper > 0 { deeper -= 1 } else { _ = levels.popLast() }
    pending = nil
  }

  private mutating func string() -> Token {
    let start = index + 1
    index = start
    while index < text.count, text[index] != UInt8(ascii: "\"") {
      index += text[index] == UInt8(ascii: "\\") ? 2 : 1
    }
    let content = start..<min(index, text.count)
    index = min(index + 1, text.count)
    let level = levels.last
    let object = level?.isObject == true ? level?.name : nil
    if pending == nil, level?.isObject == true, isFollowedByColon() {
      pending = content
      return Token(content: content, isName: true, name: nil, object: object)
    }
    let name = pending ?? (level?.isObject == false ? level?.name : nil)
    return Token(content: content, isName: false, name: name, object: object)
  }

  private func isFollowedByColon() -> Bool {
    var position = index
    while position < text.count {
      switch text[position] {
      case UInt8(ascii: ":"): return true
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
        position += 1
      default: return false
      }
    }
    return false
  }
}
