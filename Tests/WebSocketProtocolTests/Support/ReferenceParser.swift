// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

@testable import WebSocketProtocol

/// RFC 6455 once more, as slowly and plainly as possible.
///
/// It reads the whole stream at once and copies everything; what the machine delivers is compared
/// with this.
struct ReferenceParser {
  let receiver: Role
  let limits: Limits
  let text: TextPolicy

  func transcript(of stream: [UInt8]) -> Transcript {
    var transcript = Transcript()
    var rest = stream[...]
    var open: (kind: MessageKind, bytes: [UInt8], fragments: Int)?

    func fail(_ code: CloseCode) -> Transcript {
      Transcript(events: transcript.events, failure: code)
    }

    while rest.count >= 2 {
      let first = rest[rest.startIndex]
      let second = rest[rest.startIndex + 1]
      guard first & 0x30 == 0, let opcode = Opcode(rawValue: first & 15) else {
        return fail(.protocolError)
      }
      let fin = first & 0x80 != 0
      if opcode.isControl, !fin || second & 0x7F > 125 { return fail(.protocolError) }
      let extended = second & 0x7F == 126 ? 2 : second & 0x7F == 127 ? 8 : 0
      guard rest.count >= 2 + extended else { return transcript }
      var length = UInt64(second & 0x7F)
      if extended > 0 {
        length = rest.dropFirst(2).prefix(extended).reduce(0) { $0 << 8 | UInt64($1) }
        if length < (extended == 2 ? 126 : 65536) || length >> 63 == 1 {
          return fail(.protocolError)
        }
      }
      let isMasked = second & 0x80 != 0
      guard isHeaderComplete(rest) else { return transcript }
      if isMasked != (receiver == .server) { return fail(.protocolError) }
      let header = 2 + extended + (isMasked ? 4 : 0)
      let key = isMasked ? Array(rest.dropFirst(2 + extended).prefix(4)) : [0, 0, 0, 0]
      let present = rest.dropFirst(header).prefix(Int(clamping: length))
      let payload = present.enumerated().map { $1 ^ key[$0 % 4] }
      let isWhole = payload.count == Int(clamping: length)

      if opcode.isControl {
        guard isWhole else { return transcript }
        if first & 0x40 != 0 { return fail(.protocolError) }
        guard let kind = MessageKind(rawValue: opcode.rawValue) else { return transcript }
        if kind == .close {
          if payload.count == 1 { return fail(.protocolError) }
          if payload.count >= 2 {
            let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
            let isAllowed =
              [1000, 1001, 1002, 1003].contains(code) || (1007...1014).contains(code)
              || (3000...4999).contains(code)
            if !isAllowed { return fail(.protocolError) }
            if String(validating: payload.dropFirst(2), as: UTF8.self) == nil {
              return fail(.invalidPayload)
            }
          }
        }
        transcript.events.append(.init(kind: kind, bytes: payload))
        if kind == .close { return transcript }
      } else {
        if (opcode == .continuation) == (open == nil) || first & 0x40 != 0 {
          return fail(.protocolError)
        }
        if length > limits.frame || length > limits.message - (open?.bytes.count ?? 0) {
          return fail(.messageTooBig)
        }
        if (open?.fragments ?? 0) >= limits.fragments { return fail(.messageTooBig) }
        var message = open ?? (opcode == .text ? .text : .binary, [], 0)
        message.bytes += payload
        message.fragments += 1
        let isComplete = isWhole && fin
        var isValid = true
        if message.kind == .text {
          isValid = isComplete ? Self.isUTF8(message.bytes) : Self.isPrefixOfUTF8(message.bytes)
          if !isValid, text == .strict { return fail(.invalidPayload) }
        }
        guard isWhole else { return transcript }
        open = message
        if fin {
          transcript.events.append(
            .init(kind: message.kind, bytes: message.bytes, isValidUTF8: isValid)
          )
          open = nil
        }
      }
      rest = rest.dropFirst(header + payload.count)
    }
    return transcript
  }

  private func isHeaderComplete(_ rest: ArraySlice<UInt8>) -> Bool {
    let second = rest[rest.startIndex + 1]
    let extended = second & 0x7F == 126 ? 2 : second & 0x7F == 127 ? 8 : 0
    return rest.count >= 2 + extended + (second & 0x80 != 0 ? 4 : 0)
  }

  static func isUTF8(_ bytes: [UInt8]) -> Bool {
    String(validating: bytes, as: UTF8.self) != nil
  }

  /// Whether some bytes would make it valid: tries them.
  static func isPrefixOfUTF8(_ bytes: [UInt8]) -> Bool {
    for unfinished in 0...min(3, bytes.count) {
      guard isUTF8(bytes.dropLast(unfinished)) else { continue }
      let tail = Array(bytes.suffix(unfinished))
      return tail.isEmpty || canContinue(tail)
    }
    return false
  }

  private static func canContinue(_ tail: [UInt8]) -> Bool {
    // The first and last continuation byte of every row of RFC 3629's table.
    let candidates: [UInt8] = [0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF]
    var ends: [[UInt8]] = [[]]
    for _ in 0..<3 {
      ends = ends.flatMap { end in candidates.map { end + [$0] } }
      if ends.contains(where: {
        String(validating: tail + $0, as: UTF8.self)?.unicodeScalars.count == 1
      }) {
        return true
      }
    }
    return false
  }
}

extension [UInt8] {
  fileprivate func dropLast(_ count: Int) -> [UInt8] { Array(prefix(self.count - count)) }
}
