// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Makes TCP and TLS connections: look-up, Happy Eyeballs (RFC 8305), handshake.
package struct NetworkConnector: Connector {
  private let resolver: any Resolver
  private let options: TCPOptions

  /// Makes a connector.
  ///
  /// - Parameters:
  ///   - resolver: What looks names up.
  ///   - options: What its connections get.
  package init(
    resolver: any Resolver = SystemResolver.shared,
    options: TCPOptions = TCPOptions()
  ) {
    self.resolver = resolver
    self.options = options
  }

  package func open(
    host: String,
    port: UInt16,
    on loop: EventLoop,
    deadline: Int64?
  ) async throws(TransportError) -> sending any ByteStream {
    try await openTCP(host: host, port: port, on: loop, deadline: deadline)
  }

  package func connect(
    to endpoint: Endpoint,
    on loop: EventLoop,
    deadline: Int64?
  ) async throws(TransportError) -> sending any ByteStream {
    let (host, port) = (endpoint.host, endpoint.port)
    let tcp = try await openTCP(host: host, port: port, on: loop, deadline: deadline)
    guard case .tls(let context) = endpoint.security else { return tcp }
    let secured = try TLSStream(client: tcp, context: context, host: host)
    try await secured.handshake(deadline: deadline)
    return secured
  }

  package func secure(
    _ stream: any ByteStream,
    context: TLSContext,
    host: String,
    deadline: Int64?
  ) async throws(TransportError) -> any ByteStream {
    guard let tcp = stream as? TCPStream else {
      throw TransportError(.notSupported, "TLS goes over TCP connections only")
    }
    let secured = try TLSStream(client: tcp, context: context, host: host)
    try await secured.handshake(deadline: deadline)
    return secured
  }

  private func openTCP(
    host: String,
    port: UInt16,
    on loop: EventLoop,
    deadline: Int64?
  ) async throws(TransportError) -> sending TCPStream {
    let addresses = try await resolver.addresses(
      of: host,
      port: port,
      on: loop,
      deadline: deadline
    )
    let race = ConnectRace(host: host, port: port, options: options, on: loop)
    return try await race.run(addresses, deadline: deadline)
  }
}

/// Attempts to connect to several addresses of one host; the first one that succeeds wins and the
/// others are closed.
private struct ConnectRace {
  /// One attempt; its socket closes when the attempt is dropped.
  private final class Attempt {
    let address: SocketAddress
    let source: EventLoop.SourceID
    private let loop: EventLoop
    private var socket: FileDescriptor?

    /// Starts to connect; throws if that fails at once.
    init(
      to address: SocketAddress,
      options: TCPOptions,
      on loop: EventLoop
    ) throws(TransportError) {
      let socket = try TCPSocket.open(for: address)
      TCPSocket.apply(options, to: socket.raw)
      if let failure = TCPSocket.connect(socket.raw, to: address) { throw failure }
      // Not before connect(2): `epoll` reports a socket that is not connecting as hung up.
      source = try loop.open(descriptor: socket.raw)
      self.socket = consume socket
      self.address = address
      self.loop = loop
    }

    deinit { if socket != nil { loop.close(source) } }

    var progress: TCPSocket.Connecting {
      guard let raw = socket?.raw else { return .underWay }
      return TCPSocket.progress(of: raw, to: address)
    }

    /// Hands the connected socket over.
    func stream() throws(TransportError) -> TCPStream {
      guard let socket = socket.take() else { throw .closed("the connection to \(address)") }
      return TCPStream(socket, source, peer: address, on: loop)
    }
  }

  private let host: String
  private let port: UInt16
  private let options: TCPOptions
  private let loop: EventLoop

  init(host: String, port: UInt16, options: TCPOptions, on loop: EventLoop) {
    self.host = host
    self.port = port
    self.options = options
    self.loop = loop
  }

  func run(
    _ addresses: [SocketAddress],
    deadline: Int64?
  ) async throws(TransportError) -> sending TCPStream {
    var plan = HappyEyeballs(addresses)
    var attempts: [Attempt] = []
    var failures: [TransportError] = []
    while true {
      switch plan.next(at: loop.now) {
      case .start(let address):
        do throws(TransportError) {
          attempts.append(try Attempt(to: address, options: options, on: loop))
        } catch {
          failures.append(error)
          plan.attemptFailed()
        }
      case .exhausted:
        throw summary(failures)
      case .wait(let pause):
        let limit = min(pause ?? .max, deadline ?? .max)
        let outcome = await loop.wait(
          for: attempts.map(\.source),
          .writable,
          deadline: limit == .max ? nil : limit
        )
        if outcome == .timedOut {
          guard loop.now < deadline ?? .max else { throw timedOut(addresses) }
          continue
        }
        try outcome.check("connecting to \(host):\(port)")
      }
      for (index, attempt) in attempts.enumerated().reversed() {
        switch attempt.progress {
        case .underWay: continue
        case .done: return try attempt.stream()
        case .failed(let error):
          failures.append(error)
          attempts.remove(at: index)
          plan.attemptFailed()
        }
      }
    }
  }

  private func timedOut(_ addresses: [SocketAddress]) -> TransportError {
    let tried = addresses.map(\.host).joined(separator: ", ")
    return TransportError(
      .timedOut,
      "\(host) does not answer on port \(port) (\(tried)); is the address right, and does a "
        + "firewall stand between?"
    )
  }

  private func summary(_ failures: [TransportError]) -> TransportError {
    let first = failures.first { $0.code == .refused } ?? failures.first
    let hint =
      first?.code == .refused
      ? "nothing listens there; is the gateway running, and is the port right?"
      : "is the network up?"
    return TransportError(
      first?.code ?? .unreachable,
      "cannot connect to \(host):\(port): \(failures.map(\.description).joined(separator: "; ")); "
        + hint,
      errno: first?.errno
    )
  }
}
