// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// An IPv4 or IPv6 address with a port.
package struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
  /// The kinds of address there are here.
  package enum Family: Sendable, Hashable {
    case v4
    case v6
  }

  /// Which kind of address this is.
  package let family: Family

  /// The port, in the machine's byte order.
  package let port: UInt16

  /// The address's 4 or 16 bytes, in network order.
  private let bytes: [UInt8]

  /// The interface that a link-local IPv6 address belongs to, else 0.
  private let scope: UInt32

  /// Reads an address as it is written; nil if the text is a name or nothing at all.
  ///
  /// - Parameters:
  ///   - literal: `127.0.0.1` or `::1`, without brackets.
  ///   - port: The port.
  package init?(literal: String, port: UInt16) {
    var four = in_addr()
    var six = in6_addr()
    if inet_pton(AF_INET, literal, &four) == 1 {
      self.init(.v4, withUnsafeBytes(of: four, Array.init), port: port, scope: 0)
    } else if inet_pton(AF_INET6, literal, &six) == 1 {
      self.init(.v6, withUnsafeBytes(of: six, Array.init), port: port, scope: 0)
    } else {
      return nil
    }
  }

  /// Takes an address from the system; nil if it is of another family.
  ///
  /// - Parameters:
  ///   - address: The system's address.
  ///   - length: How many bytes of it there are.
  init?(_ address: UnsafePointer<sockaddr>, length: socklen_t) {
    let raw = UnsafeRawPointer(address)
    switch Int32(address.pointee.sa_family) {
    case AF_INET where Int(length) >= MemoryLayout<sockaddr_in>.size:
      let four = raw.loadUnaligned(as: sockaddr_in.self)
      let bytes = withUnsafeBytes(of: four.sin_addr, Array.init)
      self.init(.v4, bytes, port: UInt16(bigEndian: four.sin_port), scope: 0)
    case AF_INET6 where Int(length) >= MemoryLayout<sockaddr_in6>.size:
      let six = raw.loadUnaligned(as: sockaddr_in6.self)
      let bytes = withUnsafeBytes(of: six.sin6_addr, Array.init)
      self.init(.v6, bytes, port: UInt16(bigEndian: six.sin6_port), scope: six.sin6_scope_id)
    default:
      return nil
    }
  }

  private init(_ family: Family, _ bytes: [UInt8], port: UInt16, scope: UInt32) {
    self.family = family
    self.bytes = bytes
    self.port = port
    self.scope = scope
  }

  /// How many bits the address has.
  package var bitCount: Int { bytes.count * 8 }

  /// Whether the address is one of this machine itself (RFC 1122 section 3.2.1.3, RFC 4291 section
  /// 2.5.3).
  package var isLoopback: Bool {
    switch family {
    case .v4: bytes.first == 127
    case .v6: bytes.last == 1 && bytes.dropLast().allSatisfy { $0 == 0 }
    }
  }

  /// Whether the address belongs to a network (RFC 4632 section 3.1).
  ///
  /// - Parameters:
  ///   - network: Any address of the network.
  ///   - prefixLength: How many leading bits its addresses share.
  /// - Returns: Whether they are the same here; never for the other family.
  package func isIn(networkOf network: SocketAddress, prefixLength: Int) -> Bool {
    guard family == network.family else { return false }
    return (0..<min(max(prefixLength, 0), bitCount)).allSatisfy { bit in
      let mask = UInt8(0x80) >> UInt8(bit % 8)
      return bytes[bit / 8] & mask == network.bytes[bit / 8] & mask
    }
  }

  /// `AF_INET` or `AF_INET6`.
  var domain: Int32 { family == .v4 ? AF_INET : AF_INET6 }

  /// Lends the address in the form that system calls take.
  ///
  /// - Parameter body: What to do with it.
  /// - Returns: What the body returns.
  func withSystemAddress<Result>(
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    func lend<Value>(_ value: Value) -> Result {
      withUnsafePointer(to: value) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          body($0, socklen_t(MemoryLayout<Value>.size))
        }
      }
    }
    switch family {
    case .v4:
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: bytes) }
      return lend(address)
    case .v6:
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      address.sin6_scope_id = scope
      withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: bytes) }
      return lend(address)
    }
  }

  /// The address without its port: `127.0.0.1`, `::1`.
  package var host: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
      guard
        let start = text.baseAddress,
        inet_ntop(domain, bytes, start, socklen_t(text.count)) != nil
      else { return "?" }
      return String(cString: start)
    }
  }

  /// The address as it stands in a URL: `127.0.0.1:5000`, `[::1]:5000`.
  package var description: String { family == .v4 ? "\(host):\(port)" : "[\(host)]:\(port)" }
}
