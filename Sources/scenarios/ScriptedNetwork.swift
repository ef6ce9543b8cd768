// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Transport

/// A name server that can be away.
final class ScriptedResolver: Resolver {
  /// What becomes of a look-up while the name server is away.
  enum Outage: Sendable, Hashable {
    /// The system says at once that it cannot be asked.
    case refuses
    /// There is no answer.
    case hangs
  }

  private let outage = Locked<Outage?>(nil)

  /// The name server is away from now on, or back.
  func set(_ outage: Outage?) { self.outage.withLock { $0 = outage } }

  func addresses(
    of host: String,
    port: UInt16,
    on loop: EventLoop,
    deadline: Int64?
  ) async throws(TransportError) -> [SocketAddress] {
    switch outage.withLock({ $0 }) {
    case .refuses:
      throw TransportError(.nameLookupFailed, "the name \(host) could not be looked up")
    case .hangs:
      do throws(CancellationError) {
        try await loop.sleep(until: deadline ?? loop.deadline(after: .seconds(30)))
      } catch {
        throw TransportError(.cancelled, "the look-up of \(host) was cancelled")
      }
      throw TransportError(.nameLookupTimedOut, "the name \(host) could not be looked up in time")
    case nil: break
    }
    guard let address = SocketAddress(literal: "127.0.0.1", port: port) else { return [] }
    return [address]
  }
}

/// A network in memory whose names are looked up first.
struct NamedNetwork: Connector {
  let resolver: ScriptedResolver
  let network: MemoryNetwork

  func open(
    host: String,
    port: UInt16,
    on loop: EventLoop,
    deadline: Int64?
  ) async throws(TransportError) -> sending any ByteStream {
    _ = try await resolver.addresses(of: host, port: port, on: loop, deadline: deadline)
    return try await network.open(host: host, port: port, on: loop, deadline: deadline)
  }

  func connect(
    to endpoint: Endpoint,
    on loop: EventLoop,
    deadline: Int64?
  ) async throws(TransportError) -> sending any ByteStream {
    try await open(host: endpoint.host, port: endpoint.port, on: loop, deadline: deadline)
  }

  func secure(
    _ stream: any ByteStream,
    context: TLSContext,
    host: String,
    deadline: Int64?
  ) async throws(TransportError) -> any ByteStream {
    stream
  }
}
