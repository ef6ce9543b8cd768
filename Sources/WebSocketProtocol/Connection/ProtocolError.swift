// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A breach of RFC 6455 or RFC 7692 by the peer, or of a limit, or a call that came too late.
package struct ProtocolError: Error, Hashable, Sendable {
  /// What kind of breach; the names follow the sections of RFC 6455.
  package struct Code: Hashable, Sendable {
    fileprivate enum Value {
      case reservedBits, opcode, lengthEncoding, masking, fragmentation, controlFrame
      case closePayload, closeCode, invalidUTF8, compressedData
      case frameTooLarge, messageTooLarge, tooManyFragments
      case endOfStream, notOpen, invalidArgument
    }

    fileprivate let value: Value

    /// Section 5.2: a reserved bit that no extension gave a meaning.
    package static let reservedBits = Code(value: .reservedBits)
    /// Section 5.2: a reserved opcode.
    package static let opcode = Code(value: .opcode)
    /// Section 5.2: a payload length that is not minimal, or has its highest bit set.
    package static let lengthEncoding = Code(value: .lengthEncoding)
    /// Section 5.1: a masked frame from a server or an unmasked one from a client.
    package static let masking = Code(value: .masking)
    /// Section 5.4: a continuation of nothing, or a new message inside another.
    package static let fragmentation = Code(value: .fragmentation)
    /// Section 5.5: a control frame that is fragmented or longer than 125 bytes.
    package static let controlFrame = Code(value: .controlFrame)
    /// Section 5.5.1: a close frame with a body of one byte.
    package static let closePayload = Code(value: .closePayload)
    /// Section 7.4: a close code that must not be sent.
    package static let closeCode = Code(value: .closeCode)
    /// Section 8.1: text or a close reason that is not UTF-8.
    package static let invalidUTF8 = Code(value: .invalidUTF8)
    /// RFC 7692 section 7.2.2: data that does not inflate.
    package static let compressedData = Code(value: .compressedData)
    /// A frame above the limit.
    package static let frameTooLarge = Code(value: .frameTooLarge)
    /// A message above the limit.
    package static let messageTooLarge = Code(value: .messageTooLarge)
    /// A message of more frames than the limit.
    package static let tooManyFragments = Code(value: .tooManyFragments)
    /// Section 7.1.5: the stream ended without a close frame.
    package static let endOfStream = Code(value: .endOfStream)
    /// Something was to be sent after the closing handshake had begun.
    package static let notOpen = Code(value: .notOpen)
    /// Something was to be sent that no frame can carry.
    package static let invalidArgument = Code(value: .invalidArgument)
  }

  /// What kind of breach.
  package let code: Code

  /// What was received, in words; never payload bytes.
  package let detail: String

  // Errors are rare and their texts are long: keep both out of the loops that may throw them.
  @inline(never)
  package init(_ code: Code, _ detail: @autoclosure () -> String) {
    self.code = code
    self.detail = detail()
  }

  /// The code that tells the peer (section 7.4.1), ``CloseCode/abnormal`` where none is sent.
  package var closeCode: CloseCode {
    switch code.value {
    case .invalidUTF8, .compressedData: .invalidPayload
    case .frameTooLarge, .messageTooLarge, .tooManyFragments: .messageTooBig
    case .endOfStream, .notOpen, .invalidArgument: .abnormal
    case .reservedBits, .opcode, .lengthEncoding, .masking, .fragmentation, .controlFrame,
      .closePayload, .closeCode:
      .protocolError
    }
  }
}

extension ProtocolError: CustomStringConvertible {
  package var description: String { detail }
}
