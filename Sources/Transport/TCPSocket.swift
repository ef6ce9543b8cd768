// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import CLinux
import Glibc

/// What a TCP connection does to notice that the other side is gone.
package struct TCPOptions: Sendable, Hashable {
  /// After how many seconds of silence the kernel asks whether the other side is there; 0 never.
  package var keepAliveIdle: Int32 = 30
  /// How many seconds it waits for the answer before it asks again.
  package var keepAliveInterval: Int32 = 10
  /// After how many questions without an answer the connection is dead.
  package var keepAliveCount: Int32 = 3

  /// Makes options with the defaults: a dead peer is noticed after a minute.
  package init() {}
}

/// The system calls that make sockets.
enum TCPSocket {
  /// A socket that neither blocks nor survives an `exec`.
  static func open(for address: SocketAddress) throws(TransportError) -> FileDescriptor {
    try FileDescriptor(
      socket(
        address.domain,
        Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue),
        0
      ),
      from: "a socket for \(address)"
    )
  }

  /// Starts to connect.
  ///
  /// - Returns: nil while it is under way or done, else why it failed.
  static func connect(_ raw: Int32, to address: SocketAddress) -> TransportError? {
    let result = address.withSystemAddress { Glibc.connect(raw, $0, $1) }
    // An interrupted connect goes on in the background, as one that would block does.
    if result == 0 || errno == EINPROGRESS || errno == EINTR { return nil }
    return .system("\(address)")
  }

  enum Connecting {
    case underWay
    case done
    case failed(TransportError)
  }

  /// How far a connect that was started has come.
  static func progress(of raw: Int32, to address: SocketAddress) -> Connecting {
    let failure = option(raw, SOL_SOCKET, SO_ERROR)
    if failure != 0 { return .failed(.system("\(address)", errno: failure)) }
    // No error yet is no success either; only a connected socket has a peer.
    return boundAddress(getpeername, raw) == nil ? .underWay : .done
  }

  /// Sets what every connection of ours has; a system that lacks an option works without it.
  static func apply(_ options: TCPOptions, to raw: Int32) {
    // Small messages must not wait for the acknowledgement of the one before.
    set(raw, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    guard options.keepAliveIdle > 0 else { return }
    set(raw, SOL_SOCKET, SO_KEEPALIVE, 1)
    set(raw, Int32(IPPROTO_TCP), TCP_KEEPIDLE, options.keepAliveIdle)
    set(raw, Int32(IPPROTO_TCP), TCP_KEEPINTVL, options.keepAliveInterval)
    set(raw, Int32(IPPROTO_TCP), TCP_KEEPCNT, options.keepAliveCount)
  }

  /// A socket that listens.
  static func listen(at address: SocketAddress) throws(TransportError) -> FileDescriptor {
    let socket = try open(for: address)
    set(socket.raw, SOL_SOCKET, SO_REUSEADDR, 1)
    // An IPv6 socket that also took IPv4 could not stand beside an IPv4 one on the same port.
    if address.family == .v6 { set(socket.raw, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
    guard address.withSystemAddress({ bind(socket.raw, $0, $1) }) == 0 else {
      throw .system("listening on \(address)")
    }
    guard Glibc.listen(socket.raw, 128) == 0 else { throw .system("listening on \(address)") }
    return socket
  }

  /// The address that a socket was bound to.
  static func localAddress(of raw: Int32) throws(TransportError) -> SocketAddress {
    guard let found = boundAddress(getsockname, raw) else { throw .system("getsockname") }
    return found
  }

  /// The address that a socket is connected to.
  static func peerAddress(of raw: Int32) throws(TransportError) -> SocketAddress {
    guard let found = boundAddress(getpeername, raw) else { throw .system("getpeername") }
    return found
  }

  private static func boundAddress(
    _ call: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32,
    _ raw: Int32
  ) -> SocketAddress? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        call(raw, $0, &length) == 0 ? SocketAddress($0, length: length) : nil
      }
    }
  }

  private static func set(_ raw: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
    var value = value
    setsockopt(raw, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  private static func option(_ raw: Int32, _ level: Int32, _ name: Int32) -> Int32 {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(raw, level, name, &value, &length) == 0 ? value : errno
  }
}
