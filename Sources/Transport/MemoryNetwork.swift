// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// A network in memory: what connects and what listens in one process, without a socket.
///
/// For scenarios on virtual time, where a client and a simulator live on one loop. TLS is taken as
/// done.
package final class MemoryNetwork: Connector {
  private struct State: Sendable {
    var listeners: [String: MemoryListener] = [:]
    var isUp = true
    var links: [WeakLink] = []
  }

  private struct WeakLink: Sendable {
    weak let link: MemoryLink?
  }

  private let state = Locked(State())

  /// Makes a network without hosts.
  package init() {}

  /// Makes a host listen.
  ///
  /// - Parameters:
  ///   - host: The name that clients connect to.
  ///   - port: The port; one that listened there before is replaced.
  ///   - loop: The loop of the actors that will serve.
  /// - Returns: Where the connections come from.
  package func listen(host: String, port: UInt16, on loop: EventLoop) -> MemoryListener {
    let listener = MemoryListener(on: loop)
    state.withLock { $0.listeners["\(host):\(port)"] = listener }
    return listener
  }

  /// Lets connections be made or not; without it every attempt finds the host unreachable.
  package func setUp(_ isUp: Bool) {
    state.withLock { $0.isUp = isUp }
  }

  /// Does something to every connection that is open, such as `reset()` or `stall(true)`.
  package func forEachLink(_ body: (MemoryLink) -> Void) {
    let links = state.withLock { $0.links.compactMap(\.link) }
    for link in links { body(link) }
  }

  package func open(
    host: String,
    port: UInt16,
    on loop: EventLoop,
    deadline: Int64?
  ) async throws(TransportError) -> sending any ByteStream {
    let (listener, isUp) = state.withLock { ($0.listeners["\(host):\(port)"], $0.isUp) }
    guard isUp else { throw TransportError(.unreachable, "\(host):\(port) cannot be reached") }
    let link = MemoryLink()
    guard let listener, listener.offer(link) else {
      throw TransportError(.refused, "nothing listens on \(host):\(port)")
    }
    state.withLock { state in
      state.links.removeAll { $0.link == nil }
      state.links.append(WeakLink(link: link))
    }
    return MemoryStream(link, .client, on: loop)
  }

  package func connect(
    to endpoint: Endpoint,
    on loop: EventLoop,
    deadline: Int64?
  ) async throws(TransportError) -> sending any ByteStream {
    try await open(host: endpoint.host, port: endpoint.port, on: loop, deadline: deadline)
  }

  package func secure(
    _ stream: any ByteStream,
    context: TLSContext,
    host: String,
    deadline: Int64?
  ) async throws(TransportError) -> any ByteStream {
    stream
  }
}

/// A host and port of a `MemoryNetwork` at which connections are taken.
package final class MemoryListener: StreamListener {
  private struct State: Sendable {
    var waiting: [MemoryLink] = []
    var isClosed = false
  }

  private let state = Locked(State())
  private let loop: EventLoop
  private let source: EventLoop.SourceID

  fileprivate init(on loop: EventLoop) {
    self.loop = loop
    source = loop.openInMemory()
  }

  deinit { loop.close(source) }

  fileprivate func offer(_ link: MemoryLink) -> Bool {
    let taken = state.withLock { state in
      guard !state.isClosed else { return false }
      state.waiting.append(link)
      return true
    }
    if taken { loop.signal(source.key, readable: true, writable: false) }
    return taken
  }

  package func accept() async throws(TransportError) -> sending any ByteStream {
    while true {
      if let link = state.withLock({ $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }) {
        return MemoryStream(link, .server, on: loop)
      }
      try await loop.wait(for: [source]).check("waiting for connections")
    }
  }

  package func close() {
    let abandoned = state.withLock { state in
      state.isClosed = true
      defer { state.waiting.removeAll() }
      return state.waiting
    }
    for link in abandoned { link.reset() }
    loop.close(source)
  }
}
