// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1
import Transport

@testable import WebSocket

/// A connection and its peer, in memory and, unless said otherwise, on virtual time.
struct Rig: Sendable {
  let loop: EventLoop
  let link: MemoryLink
  let peer: ScriptedPeer

  init(capacity: Int = 1 << 16, onVirtualTime: Bool = true) throws {
    let start = Timestamp(realtime: 1_000, monotonic: 1_000, boot: 1_000)
    loop =
      onVirtualTime
      ? try EventLoop(virtual: start, advance: .onDemand) : try EventLoop(name: "rig")
    link = MemoryLink(capacity: capacity)
    peer = ScriptedPeer(link, on: loop)
  }

  /// Opens a client to the scripted peer.
  func connect(
    _ configuration: WebSocketConfiguration = WebSocketConfiguration(),
    url: String = "ws://localhost/feed"
  ) async throws -> WebSocketConnection {
    let (link, loop) = (link, loop)
    return try await WebSocketConnection.open(url, configuration: configuration, loop: loop) {
      MemoryStream(link, .client, on: loop)
    }
  }

  /// Opens a client to a peer that upgrades and then sends these bytes.
  func connected(
    _ configuration: WebSocketConfiguration = WebSocketConfiguration(),
    followedBy bytes: [UInt8] = []
  ) async throws -> WebSocketConnection {
    async let client = connect(configuration)
    try await peer.acceptUpgrade(
      deflate: configuration.deflate,
      subprotocols: configuration.subprotocols,
      followedBy: bytes
    )
    return try await client
  }

  /// Opens a client and a server that are both connections of ours.
  func pair(
    client: WebSocketConfiguration = WebSocketConfiguration(),
    server: WebSocketConfiguration = WebSocketConfiguration()
  ) async throws -> (client: WebSocketConnection, server: WebSocketConnection) {
    async let connecting = connect(client)
    let (link, loop) = (link, loop)
    let accepted = try await loop.run { _ in
      let stream = MemoryStream(link, .server, on: loop)
      var parser = RequestHeadParser()
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        switch try buffer.withUnsafeMutableBytes({ try stream.read(into: $0) }) {
        case .bytes(let count):
          let bytes = Array(buffer[..<count])
          let (consumed, head) = try parser.parse(bytes.span)
          guard let head else { continue }
          return try await WebSocketConnection.accept(
            stream,
            request: head,
            leftover: Array(bytes[consumed...]),
            configuration: server,
            loop: loop
          )
        case .wouldBlock: try await stream.waitUntilReadable(deadline: nil)
        case .end: throw TransportError(.closed, "the client went away")
        }
      }
    }
    return (try await connecting, accepted)
  }

  func stop() {
    loop.stop()
  }
}

/// A frame of a server: short, final, unmasked.
func frame(_ opcode: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
  [0x80 | opcode, UInt8(payload.count)] + payload
}

func frame(text: String) -> [UInt8] { frame(1, Array(text.utf8)) }

/// How long the header and key of a client's short frame are.
let clientHeader = 6

extension WebSocketConnection {
  /// How many bytes wait to be written.
  var pendingOutput: Int { machine.pendingOutput }
}
