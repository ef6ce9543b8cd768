// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import WebSocket
import WebSocketProtocol

/// Market data of one instrument as IBKR sends it, framed; the messages are those of the load server
/// of scripts/bench.
struct Frames: Sendable {
  static let conid = 265_598

  private(set) var bytes: [UInt8] = []

  /// Where the last one ends that is to be read.
  private(set) var end = 0

  /// Makes the frames.
  ///
  /// - Parameters:
  ///   - count: How many.
  ///   - wanted: How many of them are to be read.
  ///   - short: Whether each has a price alone.
  init(count: Int, reading wanted: Int, short: Bool) {
    bytes.reserveCapacity(count * 300)
    for number in 0..<count {
      let message = short ? Self.price(number) : Self.quote(number)
      FrameHeader(opcode: .text, payloadLength: message.utf8.count).append(to: &bytes)
      bytes += message.utf8
      if number < wanted { end = bytes.count }
    }
  }

  private static func price(_ number: Int) -> String {
    let cents = 27_155 + noise(number) % 97
    return
      "{\"topic\":\"smd+\(conid)\",\"31\":\"\(dollars(cents))\",\"_updated\":\(updated(number))}"
  }

  private static func quote(_ number: Int) -> String {
    let noise = noise(number)
    let cents = 27_155 + noise % 97
    return """
      {"server_id":"q0","conidEx":"\(conid)","conid":\(conid),"_updated":\(updated(number)),\
      "6119":"q0","31":"\(dollars(cents))","84":"\(dollars(cents - 1))","86":"\(dollars(cents + 1))",\
      "88":"\(100 + noise % 900)","85":"\(100 + noise % 700)","7059":"\(1 + noise % 300)",\
      "87":"\(12 + noise % 9).\(noise % 10)M","87_raw":\(12_000_000 + noise % 90_000).0,\
      "70":"273.10","71":"268.95","83":\(noise % 3).\(twoDigits(noise % 100)),"6509":"RpB",\
      "7741":"271.10","topic":"smd+\(conid)"}
      """
  }

  private static func noise(_ number: Int) -> Int {
    Int((UInt32(truncatingIfNeeded: number) &* 2_654_435_761) >> 8)
  }

  /// A hundred messages in each millisecond.
  private static func updated(_ number: Int) -> Int { 1_795_470_934_945 + number / 100 }

  private static func dollars(_ cents: Int) -> String { "\(cents / 100).\(twoDigits(cents % 100))" }

  private static func twoDigits(_ number: Int) -> String {
    number < 10 ? "0\(number)" : "\(number)"
  }
}

/// Decodes frames as a connection does, in reads of a TLS record.
struct FrameReader: ~Copyable {
  private static let record = 16_384

  private let bytes: [UInt8]
  private let end: Int
  private var position = 0
  private var machine = ConnectionMachine(role: .client, text: .tolerant)

  init(_ frames: Frames) {
    bytes = frames.bytes
    end = frames.end
  }

  /// The next messages, nil when there are no more.
  mutating func next() throws(ProtocolError) -> MessageBatch? {
    if let batch = try machine.takeBatch() { return batch }
    while machine.receiveSpace >= Self.record, position < end { read() }
    return try machine.takeBatch()
  }

  private mutating func read() {
    let start = position
    position = min(start + Self.record, end)
    machine.fill { space in
      bytes.withUnsafeBytes {
        space.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<position]))
      }
      return position - start
    }
  }

  /// Counts the messages that are left.
  ///
  /// - Returns: How many there were.
  mutating func count() throws(ProtocolError) -> Int {
    var messages = 0
    while let batch = try next() {
      for index in 0..<batch.count where batch[index].kind.isData { messages += 1 }
    }
    return messages
  }
}
