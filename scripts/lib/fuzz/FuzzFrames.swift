// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import WebSocketProtocol

/// The frame parser in any pieces against the slow reference parser of the tests.
@Sendable func fuzzFrames(_ input: Input) {
  let role: Role = input.has(0) ? .client : .server
  let text: TextPolicy = input.has(1) ? .strict : .tolerant
  let limits = Limits(message: 3000, frame: 2000, fragments: 6)
  let reference = ReferenceParser(receiver: role, limits: limits, text: text)
  let expected = reference.transcript(of: input.bytes)
  var machine = ConnectionMachine(role: role, limits: limits, text: text)
  let transcript = machine.transcript(of: input.bytes, pieces: input.pieces)
  require(transcript == expected, "\(transcript) instead of \(expected)")
  // Whatever came, what is sent is well-formed.
  var peer = ConnectionMachine(role: role == .client ? .server : .client)
  let answer = peer.transcript(of: machine.takeOutput())
  require(answer.failure == nil, "we broke the protocol: \(answer)")
}

/// Compressed frames of any content: the same in any pieces, and never above the limit.
@Sendable func fuzzInflate(_ input: Input) {
  var parameters = DeflateParameters()
  parameters.serverMaxWindowBits = 8 + Int(input.variant & 7)
  parameters.serverNoContextTakeover = input.has(3)
  let limits = Limits(message: 5000, frame: 5000, fragments: 50)
  let text: TextPolicy = input.has(4) ? .strict : .tolerant
  // Half of the inputs are frames, half the payload of one compressed message, twice.
  var stream = input.bytes
  if input.has(5) {
    let frame = WireFrame(opcode: 2, payload: stream, rsv: 4).bytes(to: .client)
    stream = frame + frame
  }
  func transcript(_ pieces: [Int]) -> Transcript {
    var machine = ConnectionMachine(role: .client, limits: limits, text: text, deflate: parameters)
    return machine.transcript(of: stream, pieces: pieces)
  }
  let whole = transcript([])
  let cut = transcript(input.pieces + [Int](repeating: 3, count: stream.count))
  require(whole == cut, "\(cut) instead of \(whole)")
  require(whole.events.allSatisfy { $0.bytes.count <= 5000 }, "a message above the limit")
}

/// The validator in any pieces against the standard library.
@Sendable func fuzzUTF8(_ input: Input) {
  let isValid = String(validating: input.bytes, as: UTF8.self) != nil
  let whole = input.bytes.withUnsafeBytes { UTF8Validator.isValid($0) }
  require(whole == isValid, "valid \(whole) instead of \(isValid)")
  var validator = UTF8Validator()
  var isGood = true
  input.forEachPiece { piece in
    isGood = piece.withUnsafeBytes { validator.consume($0) }
    return isGood
  }
  require((isGood && validator.isAtBoundary) == isValid, "in pieces: \(!isValid)")
}
