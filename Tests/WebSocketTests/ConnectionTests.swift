// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Testing
import Transport
import WebSocketProtocol

@testable import WebSocket

@Suite("An open connection", .timeLimit(.minutes(5)))
struct ConnectionTests {
  @Test("Messages of both kinds and all sizes come back as they were sent", arguments: [nil, 9])
  func echo(windowBits: Int?) async throws {
    let rig = try Rig()
    defer { rig.stop() }
    var configuration = WebSocketConfiguration()
    configuration.deflate = windowBits.map { PerMessageDeflate(clientMaxWindowBits: $0) }
    let (client, server) = try await rig.pair(client: configuration, server: configuration)
    #expect(await client.isCompressed == (windowBits != nil))
    let echo = Task {
      for try await message in server.messages {
        try await server.send(message.kind, message.bytes)
      }
    }
    var received = client.messages.makeAsyncIterator()
    for size in [0, 1, 125, 126, 65_535, 65_536, 300_000] {
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
      try await client.send(binary: bytes)
      let message = try #require(try await received.next())
      #expect(message.kind == .binary)
      #expect(message.bytes == bytes)
      #expect(message.withBytes { $0.count } == size)
    }
    try await client.send(text: "κόσμε")
    #expect(try await received.next()?.text == "κόσμε")
    await client.close()
    try await echo.value
    #expect(await client.closeCode == .normal)
    #expect(await server.closeCode == .normal)
  }

  @Test("A batch has messages and control frames in order; pings are answered")
  func batches() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let bytes = frame(text: "a") + frame(9, [1, 2]) + frame(2, [3]) + frame(10)
    let socket = try await rig.connected(followedBy: bytes)
    let batch = try #require(try await socket.nextBatch())
    let kinds = (0..<batch.messages.count).map { batch.messages[$0].kind }
    #expect(kinds == [.text, .ping, .binary, .pong])
    #expect(batch.timestamp.monotonic == 1_000)
    let pong = try await rig.peer.read(clientHeader + 2)
    #expect(pong.prefix(2) == [0x8A, 0x82])
  }

  @Test("What came before a breach is delivered, then the breach is told to both sides")
  func breach() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let socket = try await rig.connected(followedBy: frame(text: "good") + frame(3))
    var messages = socket.messages.makeAsyncIterator()
    #expect(try await messages.next()?.text == "good")
    let failing = Task { try await socket.nextBatch() }
    let close = try await rig.peer.read(clientHeader + 2)
    #expect(close.prefix(2) == [0x88, 0x82])
    await rig.peer.shutdown()
    let error = await #expect(throws: WebSocketError.self) { try await failing.value }
    #expect(error?.code == .protocolViolation)
    #expect(error?.closeCode == .protocolError)
    await #expect(throws: WebSocketError.self) { try await socket.send(text: "late") }
  }

  @Test("What came before a breach or a close frame can be answered", arguments: [3, 8] as [UInt8])
  func answerBeforeBreach(opcode: UInt8) async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let socket = try await rig.connected(followedBy: frame(text: "ask") + frame(opcode))
    let batch = try #require(try await socket.nextBatch())
    #expect(batch.messages.count == 1)
    try await socket.send(binary: [])
    let reading = Task { while try await socket.nextBatch() != nil {} }
    let written = try await rig.peer.read(clientHeader * 2)
    #expect(written[0] == 0x82)
    #expect(written[clientHeader] == 0x88)
    await rig.peer.shutdown()
    _ = await reading.result
  }

  @Test("After a breach a peer that goes on sending is cut off")
  func floodAfterBreach() async throws {
    // Virtual time stands still while there is something to do, and here there always is.
    let rig = try Rig(onVirtualTime: false)
    defer { rig.stop() }
    var configuration = WebSocketConfiguration()
    configuration.closeTimeout = .milliseconds(50)
    let socket = try await rig.connected(configuration, followedBy: frame(3))
    let flood = Task { [peer = rig.peer] in
      while true { try await peer.write([UInt8](repeating: 0x81, count: 1000)) }
    }
    let error = await #expect(throws: WebSocketError.self) { try await socket.nextBatch() }
    #expect(error?.code == .protocolViolation)
    flood.cancel()
    await #expect(throws: TransportError.self) { try await flood.value }
  }

  @Test(
    "A stream that ends without a close frame is an error, cut or not",
    arguments: [true, false]
  )
  func ended(clean: Bool) async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let socket = try await rig.connected(followedBy: frame(text: "last") + [0x81])
    if clean { await rig.peer.shutdown() } else { await rig.peer.close() }
    var messages = socket.messages.makeAsyncIterator()
    #expect(try await messages.next()?.text == "last")
    let error = await #expect(throws: WebSocketError.self) { try await messages.next() }
    #expect(error?.code == .ended)
    #expect(error?.closeCode == .abnormal)
    #expect(error?.description.contains("close_notify") == !clean)
    #expect(try await messages.next() == nil)
  }

  @Test("A reset is told as such, after what came before it")
  func reset() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let socket = try await rig.connected(followedBy: frame(text: "last"))
    let batch = try #require(try await socket.nextBatch())
    #expect(batch.messages.text(of: 0) == "last")
    rig.link.reset()
    let error = await #expect(throws: WebSocketError.self) { try await socket.nextBatch() }
    #expect(error?.code == .transport)
    #expect(error?.transport?.code == .reset)
  }

  @Test("Cancelling the reading task closes the connection")
  func cancelled() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let socket = try await rig.connected()
    let reading = Task { try await socket.nextBatch() }
    await rig.loop.advance(by: .zero)
    reading.cancel()
    let error = await #expect(throws: WebSocketError.self) { try await reading.value }
    #expect(error?.code == .cancelled)
    #expect(try await rig.peer.read(1).isEmpty)
  }

  @Test("Cancelling is noticed although the peer never pauses")
  func cancelledInAFlood() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let socket = try await rig.connected(followedBy: frame(text: "received before"))
    try await rig.peer.write(frame(text: "never asked for"))
    let reading = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      var texts: [String] = []
      while let batch = try await socket.nextBatch()?.messages {
        texts += (0..<batch.count).map(batch.text)
        // A flood would go on for ever.
        if texts.count > 1 { break }
      }
      return texts
    }
    let error = await #expect(throws: WebSocketError.self) { try await reading.value }
    #expect(error?.code == .cancelled)
  }

  @Test("Who does not read makes the sender wait, and loses nothing")
  func backPressure() async throws {
    let rig = try Rig(capacity: 1 << 12)
    defer { rig.stop() }
    let (client, server) = try await rig.pair()
    let count = 500
    let sending = Task {
      for number in 0..<count {
        try await server.send(text: "\(number) " + String(repeating: "x", count: 1000))
      }
    }
    await rig.loop.advance(by: .zero)
    #expect(await server.pendingOutput < 70_000)
    var received = client.messages.makeAsyncIterator()
    for number in 0..<count {
      #expect(try await received.next()?.text.hasPrefix("\(number) ") == true)
    }
    try await sending.value
  }

  @Test("A peer that takes nothing is given up")
  func writeDeadline() async throws {
    let rig = try Rig(capacity: 1 << 10)
    defer { rig.stop() }
    let socket = try await rig.connected()
    try await socket.send(binary: [UInt8](repeating: 0, count: 100_000))
    await rig.loop.advance(by: .seconds(9))
    #expect(await !socket.isFinished)
    await rig.loop.advance(by: .seconds(2))
    let error = await #expect(throws: WebSocketError.self) { try await socket.send(text: "x") }
    #expect(error?.code == .writeTimedOut)
  }

  @Test("A silent peer is pinged, and given up when it stays silent")
  func pongDeadline() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    var configuration = WebSocketConfiguration()
    configuration.pingInterval = .seconds(30)
    let socket = try await rig.connected(configuration)
    let reading = Task {
      var kinds: [MessageKind] = []
      while let batch = try await socket.nextBatch() {
        kinds += (0..<batch.messages.count).map { batch.messages[$0].kind }
      }
      return kinds
    }
    await rig.loop.advance(by: .seconds(31))
    #expect(try await rig.peer.read(clientHeader).first == 0x89)
    try await rig.peer.write(frame(10))
    await rig.loop.advance(by: .seconds(31))
    #expect(try await rig.peer.read(clientHeader).first == 0x89)
    await rig.loop.advance(by: .seconds(11))
    let error = await #expect(throws: WebSocketError.self) { try await reading.value }
    #expect(error?.code == .pongTimedOut)
  }
}

@Suite("Closing a connection", .timeLimit(.minutes(5)))
struct ClosingTests {
  @Test("The peer closes: its code and reason are there, reading ends without an error")
  func peerCloses() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let bytes = frame(text: "last") + frame(8, [0x03, 0xE9] + Array("bye".utf8))
    let socket = try await rig.connected(followedBy: bytes + frame(text: "too late"))
    let batch = try #require(try await socket.nextBatch())
    #expect(batch.messages.text(of: 0) == "last")
    let close = try #require(try await socket.nextBatch())
    #expect(close.messages[0].kind == .close)
    let ending = Task { try await socket.nextBatch() }
    let answer = try await rig.peer.read(clientHeader + 2)
    #expect(answer.prefix(2) == [0x88, 0x82])
    await rig.peer.shutdown()
    #expect(try await ending.value == nil)
    #expect(await socket.closeCode == .goingAway)
    #expect(await socket.closeReason == "bye")
    #expect(try await socket.nextBatch() == nil)
  }

  @Test("A server that leaves the stream open after both close frames is cut off")
  func streamLeftOpen() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let socket = try await rig.connected(followedBy: frame(8))
    _ = try await socket.nextBatch()
    let ending = Task { try await socket.nextBatch() }
    _ = try await rig.peer.read(clientHeader)
    await rig.loop.advance(by: .seconds(6))
    #expect(try await ending.value == nil)
    #expect(await socket.closeCode == .noStatus)
  }

  @Test("We close, nobody is reading; what still arrives is dropped")
  func weClose() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let socket = try await rig.connected()
    let closing = Task { await socket.close(.goingAway, reason: String(repeating: "é", count: 90)) }
    let frame125 = try await rig.peer.read(clientHeader + 2 + 122)
    #expect(frame125.prefix(2) == [0x88, 0x80 | 124])
    try await rig.peer.write(frame(text: "late") + frame(8, [0x03, 0xE9]))
    await rig.peer.shutdown()
    await closing.value
    #expect(await socket.closeCode == .goingAway)
    #expect(try await socket.nextBatch() == nil)
  }

  @Test("We close while somebody reads: the reader gets what still arrives")
  func weCloseWhileReading() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let socket = try await rig.connected()
    let reading = Task {
      var texts: [String] = []
      for try await message in socket.messages { texts.append(message.text) }
      return texts
    }
    await rig.loop.advance(by: .zero)
    let closing = Task { await socket.close() }
    _ = try await rig.peer.read(clientHeader + 2)
    try await rig.peer.write(frame(text: "late") + frame(8, [0x03, 0xE8]))
    await rig.peer.shutdown()
    await closing.value
    #expect(try await reading.value == ["late"])
  }

  @Test("We begin to close between two reads: the reader loses nothing")
  func weCloseBetweenReads() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let socket = try await rig.connected(followedBy: frame(text: "early"))
    var messages = socket.messages.makeAsyncIterator()
    #expect(try await messages.next()?.text == "early")
    let closing = Task {
      await socket.beginClosing()
      await socket.ended()
    }
    _ = try await rig.peer.read(clientHeader + 2)
    try await rig.peer.write(frame(text: "late") + frame(8, [0x03, 0xE8]))
    await rig.peer.shutdown()
    #expect(try await messages.next()?.text == "late")
    #expect(try await messages.next() == nil)
    await closing.value
  }

  @Test("A close frame that is never answered", arguments: [true, false])
  func unanswered(isReading: Bool) async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let socket = try await rig.connected()
    let reading = isReading ? Task { try await socket.nextBatch() } : nil
    await rig.loop.advance(by: .zero)
    let closing = Task { await socket.close() }
    _ = try await rig.peer.read(clientHeader + 2)
    await rig.loop.advance(by: .seconds(6))
    await closing.value
    let error = await #expect(throws: WebSocketError.self) {
      _ = try await reading?.value
      _ = try await socket.nextBatch()
    }
    #expect(error?.code == .closeTimedOut)
  }

  @Test("Closing twice, and sending afterwards")
  func closed() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let (client, server) = try await rig.pair()
    let reading = Task {
      var kinds: [MessageKind] = []
      while let batch = try await server.nextBatch() { kinds.append(batch.messages[0].kind) }
      return kinds
    }
    await client.close()
    await client.close()
    #expect(try await reading.value == [.close])
    for socket in [client, server] {
      let error = await #expect(throws: WebSocketError.self) { try await socket.send(text: "x") }
      #expect(error?.code == .closed)
    }
  }

  @Test("A ping above 125 bytes and a control frame as message are refused")
  func invalidArguments() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let socket = try await rig.connected()
    for attempt in [
      { try await socket.ping([UInt8](repeating: 0, count: 126)) },
      { try await socket.send(.ping, []) },
    ] as [@Sendable () async throws -> Void] {
      let error = await #expect(throws: WebSocketError.self) { try await attempt() }
      #expect(error?.code == .invalidArgument)
    }
  }
}
