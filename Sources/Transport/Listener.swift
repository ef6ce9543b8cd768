// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import CLinux
import Glibc

/// Something that connections come from.
package protocol StreamListener: Sendable {
  /// Waits for the next connection.
  ///
  /// - Returns: Its stream, to be moved to the actor that will serve it.
  /// - Throws: `TransportError` with `.cancelled` or `.closed`.
  func accept() async throws(TransportError) -> sending any ByteStream

  /// Takes no more connections; `accept()` ends with `.closed`.
  func close()
}

/// A port on which TCP connections are taken.
package final class Listener: StreamListener {
  /// One listening socket; a port on the loopback has two, for IPv4 and IPv6.
  private final class Door: Sendable {
    let socket: FileDescriptor
    let source: EventLoop.SourceID
    let address: SocketAddress

    init(_ address: SocketAddress, on loop: EventLoop) throws(TransportError) {
      socket = try TCPSocket.listen(at: address)
      self.address = try TCPSocket.localAddress(of: socket.raw)
      source = try loop.open(descriptor: socket.raw)
    }
  }

  private let loop: EventLoop
  private let doors: [Door]
  private let options: TCPOptions

  /// Listens on one address.
  ///
  /// - Parameters:
  ///   - address: Where; port 0 takes any that is free.
  ///   - options: What accepted connections get.
  ///   - loop: A loop on the machine's clocks.
  /// - Throws: `TransportError` if the address cannot be had.
  package init(
    on address: SocketAddress,
    options: TCPOptions = TCPOptions(),
    loop: EventLoop
  ) throws(TransportError) {
    self.loop = loop
    self.options = options
    doors = [try Door(address, on: loop)]
  }

  /// Listens on the loopback only: 127.0.0.1 and, where there is IPv6, ::1, on the same port.
  ///
  /// - Parameters:
  ///   - port: The port; 0 takes any that is free.
  ///   - options: What accepted connections get.
  ///   - loop: A loop on the machine's clocks.
  /// - Throws: `TransportError` if the port cannot be had.
  package init(
    loopback port: UInt16,
    options: TCPOptions = TCPOptions(),
    loop: EventLoop
  ) throws(TransportError) {
    self.loop = loop
    self.options = options
    doors = try Self.loopbackDoors(port, loop)
  }

  deinit { close() }

  private static func loopbackDoors(
    _ port: UInt16,
    _ loop: EventLoop
  ) throws(TransportError) -> [Door] {
    var attempts = 0
    while true {
      attempts += 1
      guard let four = SocketAddress(literal: "127.0.0.1", port: port) else { return [] }
      let first = try Door(four, on: loop)
      guard let six = SocketAddress(literal: "::1", port: first.address.port) else {
        return [first]
      }
      do throws(TransportError) {
        return [first, try Door(six, on: loop)]
      } catch {
        loop.close(first.source)
        switch error.errno {
        // The port that is free for one family is taken for the other: another one may not be.
        case EADDRINUSE where port == 0 && attempts < 20: continue
        case EAFNOSUPPORT, EADDRNOTAVAIL: return [try Door(first.address, on: loop)]
        default: throw error
        }
      }
    }
  }

  /// Where it listens; the port is the same everywhere.
  package var addresses: [SocketAddress] { doors.map(\.address) }

  /// The port.
  package var port: UInt16 { doors.first?.address.port ?? 0 }

  package func accept() async throws(TransportError) -> sending any ByteStream {
    while true {
      for door in doors {
        if let stream = try await accept(at: door) { return stream }
      }
      try await loop.wait(for: doors.map(\.source)).check("waiting for connections")
    }
  }

  private func accept(at door: Door) async throws(TransportError) -> sending TCPStream? {
    while true {
      let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
      let result = clinux_accept(door.socket.raw, flags)
      if result >= 0 {
        let socket = try FileDescriptor(result, from: "accept4")
        TCPSocket.apply(options, to: socket.raw)
        // A client that has gone already is no reason to stop listening.
        guard let peer = try? TCPSocket.peerAddress(of: socket.raw) else { continue }
        let source = try loop.open(descriptor: socket.raw)
        return TCPStream(socket, source, peer: peer, on: loop)
      }
      switch errno {
      case EAGAIN: return nil
      case EBADF, EINVAL: throw .closed("the listener on port \(port)")
      case EMFILE, ENFILE, ENOBUFS, ENOMEM:
        // The connection stays in the queue and would be reported as ready for ever; give others
        // the time to close something.
        let outcome = await loop.wait(deadline: loop.deadline(after: .milliseconds(100)))
        if outcome != .timedOut { try outcome.check("waiting for connections") }
      default: continue
      }
    }
  }

  package func close() {
    for door in doors {
      loop.close(door.source)
      // The descriptor lives as long as the listener; this ends the listening.
      _ = Glibc.shutdown(door.socket.raw, Int32(SHUT_RDWR))
    }
  }
}
