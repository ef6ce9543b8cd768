// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Why a text is not JSON, and at which byte; never what stands there.
package struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Which rule was broken.
  package let code: Code

  /// The offset of the byte at which it was noticed.
  package let offset: Int

  init(_ code: Code, at offset: Int) {
    self.code = code
    self.offset = offset
  }

  package var description: String { "not JSON: \(code.explanation) at byte \(offset)" }
}

extension JSONError {
  /// The ways in which a text can fail to be JSON (RFC 8259).
  package struct Code: Sendable, Hashable, CustomStringConvertible {
    private let value: Value

    /// The code's own name, for logs and tests.
    package var description: String { value.rawValue }

    fileprivate var explanation: String { value.explanation }
  }
}

extension JSONError.Code {
  package static let unexpectedEnd = Self(value: .unexpectedEnd)
  package static let unexpectedByte = Self(value: .unexpectedByte)
  package static let invalidNumber = Self(value: .invalidNumber)
  package static let invalidEscape = Self(value: .invalidEscape)
  package static let controlCharacter = Self(value: .controlCharacter)
  package static let invalidUTF8 = Self(value: .invalidUTF8)
  package static let tooDeep = Self(value: .tooDeep)
  package static let bytesAfterEnd = Self(value: .bytesAfterEnd)

  private enum Value: String, Sendable {
    case unexpectedEnd, unexpectedByte, invalidNumber, invalidEscape, controlCharacter
    case invalidUTF8, tooDeep, bytesAfterEnd

    var explanation: String {
      switch self {
      case .unexpectedEnd: "it ends early"
      case .unexpectedByte: "a byte that may not stand here"
      case .invalidNumber: "a malformed number"
      case .invalidEscape: "a malformed escape in a string"
      case .controlCharacter: "a control character in a string"
      case .invalidUTF8: "bytes that are not UTF-8"
      case .tooDeep: "arrays and objects nested deeper than allowed"
      case .bytesAfterEnd: "something after the value"
      }
    }
  }
}
