// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

@testable import WebSocketProtocol

/// Everything that a machine delivered, in a form that tests compare.
struct Transcript: Equatable, CustomStringConvertible {
  struct Event: Equatable, CustomStringConvertible {
    var kind: MessageKind
    var bytes: [UInt8]
    var isValidUTF8 = true

    var description: String {
      "\(kind)(\(bytes.prefix(24))\(bytes.count > 24 ? "… \(bytes.count)" : ""))"
    }
  }

  var events: [Event] = []

  /// The close code of the failure, if the machine failed.
  var failure: CloseCode?

  var description: String { "\(events) \(failure.map { "failed \($0)" } ?? "")" }

  static func + (left: Transcript, right: Event) -> Transcript {
    Transcript(events: left.events + [right], failure: left.failure)
  }
}

extension Transcript.Event {
  static func text(_ text: String) -> Self { .init(kind: .text, bytes: Array(text.utf8)) }
  static func binary(_ bytes: [UInt8]) -> Self { .init(kind: .binary, bytes: bytes) }
  static func ping(_ text: String) -> Self { .init(kind: .ping, bytes: Array(text.utf8)) }
  static func pong(_ text: String) -> Self { .init(kind: .pong, bytes: Array(text.utf8)) }
  static func close(_ frame: WireFrame) -> Self { .init(kind: .close, bytes: frame.payload) }
}

extension ConnectionMachine {
  /// Takes everything that is there.
  mutating func drain(into transcript: inout Transcript) {
    guard transcript.failure == nil else { return }
    do throws(ProtocolError) {
      while let batch = try takeBatch() {
        for index in 0..<batch.count {
          transcript.events.append(
            .init(
              kind: batch[index].kind,
              bytes: batch.bytes(of: index),
              isValidUTF8: batch[index].isValidUTF8
            )
          )
        }
      }
    } catch {
      transcript.failure = error.closeCode
    }
  }

  /// Feeds bytes in one piece, or in pieces of the lengths that are given, and takes what comes.
  mutating func feed(_ bytes: [UInt8], pieces: [Int] = [], into transcript: inout Transcript) {
    var start = 0
    var lengths = pieces.makeIterator()
    while start < bytes.count {
      let end = min(start + max(1, lengths.next() ?? bytes.count), bytes.count)
      while start < end {
        start += receive(bytes[start..<end])
        drain(into: &transcript)
      }
    }
  }

  mutating func receive(_ bytes: ArraySlice<UInt8>) -> Int {
    receive(bytes.span)
  }

  mutating func transcript(of bytes: [UInt8], pieces: [Int] = []) -> Transcript {
    var transcript = Transcript()
    feed(bytes, pieces: pieces, into: &transcript)
    return transcript
  }

  mutating func transcriptToEnd(of bytes: [UInt8], pieces: [Int] = []) -> Transcript {
    var transcript = transcript(of: bytes, pieces: pieces)
    receiveEndOfStream()
    drain(into: &transcript)
    return transcript
  }

  /// Everything that waits to be written, as written.
  mutating func takeOutput() -> [UInt8] {
    let bytes = withOutput { Array($0) }
    outputWritten(bytes.count)
    return bytes
  }

  mutating func send(text: String) throws(ProtocolError) {
    try send(.text, Array(text.utf8))
  }

  mutating func send(_ kind: MessageKind, _ bytes: [UInt8]) throws(ProtocolError) {
    try bytes.withUnsafeBufferPointer { (all) throws(ProtocolError) in
      try send(kind, UnsafeRawBufferPointer(all))
    }
  }

  mutating func ping(_ bytes: [UInt8]) throws(ProtocolError) {
    try bytes.withUnsafeBufferPointer { (all) throws(ProtocolError) in
      try ping(UnsafeRawBufferPointer(all))
    }
  }
}
