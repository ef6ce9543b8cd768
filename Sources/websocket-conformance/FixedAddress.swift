// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Transport

/// A resolver for which every host has one address, so that a test server on the loopback can go
/// by any name.
struct FixedAddress: Resolver {
  let address: String

  func addresses(
    of host: String,
    port: UInt16,
    on loop: EventLoop,
    deadline: Int64?
  ) async throws(TransportError) -> [SocketAddress] {
    guard let address = SocketAddress(literal: address, port: port) else {
      throw TransportError(.nameNotFound, "--address takes an IPv4 or IPv6 address")
    }
    return [address]
  }
}
