// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The header of a frame (RFC 6455 section 5.2).
///
/// ```
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-------+-+-------------+-------------------------------+
/// |F|R|R|R| opcode|M| Payload len |    Extended payload length    |
/// |I|S|S|S|  (4)  |A|     (7)     |             (16/64)           |
/// |N|V|V|V|       |S|             |   (if payload len==126/127)   |
/// | |1|2|3|       |K|             |                               |
/// +-+-+-+-+-------+-+-------------+ - - - - - - - - - - - - - - - +
/// |     Extended payload length continued, if payload len == 127  |
/// + - - - - - - - - - - - - - - - +-------------------------------+
/// |                               |Masking-key, if MASK set to 1  |
/// +-------------------------------+-------------------------------+
/// | Masking-key (continued)       |          Payload Data         |
/// +-------------------------------- - - - - - - - - - - - - - - - +
/// ```
///
/// Reading one checks what the header alone can tell; the rules that depend on the connection are in
/// ``ConnectionMachine``.
package struct FrameHeader: Equatable, Sendable {
  /// The longest a header can be: two bytes, eight of length, four of masking key.
  package static let longest = 14

  /// The most that a control frame may carry (section 5.5).
  package static let longestControlPayload = 125

  /// FIN: the last frame of its message (section 5.4).
  package var isFinal: Bool

  /// RSV1, which permessage-deflate uses (RFC 7692 section 6).
  ///
  /// RSV2 and RSV3 are never set: no extension that gives them a meaning is spoken here.
  package var isCompressed: Bool

  /// What the frame carries.
  package var opcode: Opcode

  /// The masking key, if the frame is masked.
  package var key: MaskingKey?

  /// How many bytes follow the header.
  package var payloadLength: Int

  package init(
    isFinal: Bool = true,
    isCompressed: Bool = false,
    opcode: Opcode,
    key: MaskingKey? = nil,
    payloadLength: Int
  ) {
    self.isFinal = isFinal
    self.isCompressed = isCompressed
    self.opcode = opcode
    self.key = key
    self.payloadLength = payloadLength
  }

  /// How many bytes the header takes on the wire.
  @inline(__always)
  package var length: Int {
    let extended =
      switch payloadLength {
      case ...125: 0
      case ...0xFFFF: 2
      default: 8
      }
    return 2 + extended + (key == nil ? 0 : 4)
  }

  /// Reads a header in place.
  ///
  /// - Parameter bytes: What was received, from the first byte of the frame.
  /// - Returns: The header, or nil while bytes of it are missing.
  /// - Throws: ``ProtocolError`` for a header that section 5.2 or 5.5 forbids, as soon as the two
  ///   bytes that show it are there.
  @inline(__always)
  package static func parse(
    _ bytes: UnsafeRawBufferPointer
  ) throws(ProtocolError) -> FrameHeader? {
    guard bytes.count >= 2 else { return nil }
    let first = bytes[0]
    let second = bytes[1]
    guard first & 0x30 == 0 else {
      throw ProtocolError(.reservedBits, "a frame with RSV2 or RSV3 set")
    }
    guard let opcode = Opcode(rawValue: first & 0x0F) else {
      throw ProtocolError(.opcode, "a frame with the reserved opcode \(first & 0x0F)")
    }
    let isFinal = first & 0x80 != 0
    let short = Int(second & 0x7F)
    if opcode.isControl {
      guard isFinal else { throw ProtocolError(.controlFrame, "a fragmented control frame") }
      guard short <= longestControlPayload else {
        throw ProtocolError(.controlFrame, "a control frame longer than 125 bytes")
      }
    }

    let payloadLength: Int
    var position = 2
    switch short {
    case ...125:
      payloadLength = short
    case 126:
      guard bytes.count >= 4 else { return nil }
      let medium = bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
      payloadLength = Int(UInt16(bigEndian: medium))
      position = 4
      guard payloadLength > 125 else {
        throw ProtocolError(.lengthEncoding, "a length of \(payloadLength) written in 16 bits")
      }
    default:
      guard bytes.count >= 10 else { return nil }
      let long = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
      position = 10
      // "the most significant bit MUST be 0", which is also what makes it fit an Int.
      guard let exact = Int(exactly: long) else {
        throw ProtocolError(.lengthEncoding, "a length with its highest bit set")
      }
      guard exact > 0xFFFF else {
        throw ProtocolError(.lengthEncoding, "a length of \(exact) written in 64 bits")
      }
      payloadLength = exact
    }

    var key: MaskingKey?
    if second & 0x80 != 0 {
      guard bytes.count >= position + 4 else { return nil }
      let bits = bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)
      key = MaskingKey(bits: UInt32(littleEndian: bits))
    }
    return FrameHeader(
      isFinal: isFinal,
      isCompressed: first & 0x40 != 0,
      opcode: opcode,
      key: key,
      payloadLength: payloadLength
    )
  }

  /// Writes the header with the shortest length encoding.
  ///
  /// - Parameter output: Where it is appended.
  package func append(to output: inout [UInt8]) {
    output.append((isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode.rawValue)
    let masked: UInt8 = key == nil ? 0 : 0x80
    switch payloadLength {
    case ...125:
      output.append(masked | UInt8(payloadLength))
    case ...0xFFFF:
      output.append(masked | 126)
      withUnsafeBytes(of: UInt16(payloadLength).bigEndian) { output.append(contentsOf: $0) }
    default:
      output.append(masked | 127)
      withUnsafeBytes(of: UInt64(payloadLength).bigEndian) { output.append(contentsOf: $0) }
    }
    if let key {
      withUnsafeBytes(of: key.bits.littleEndian) { output.append(contentsOf: $0) }
    }
  }
}
