// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// A TLS connection over TCP.
///
/// Joins the session, which never waits, to the readiness of its socket. Bytes go from the socket
/// to the caller's buffer through OpenSSL alone: one `read` per record, no copy of ours.
package final class TLSStream: ByteStream {
  private let tcp: TCPStream
  private let name: String
  /// Gone when the stream is closed; with it goes what the next connection resumes from.
  private var session: TLSSession?

  // TLS may have to write before it can read on (a key update wants an answer), or the reverse.
  private var readWaitsFor = EventLoop.Direction.readable
  private var writeWaitsFor = EventLoop.Direction.writable

  /// Starts the client's side; `handshake` comes next.
  ///
  /// - Parameters:
  ///   - tcp: The connection, which the stream owns from now on.
  ///   - context: A client's context.
  ///   - host: The name or address that the certificate must be for.
  /// - Throws: `TransportError` if the name cannot be a server's or the connection is closed.
  package init(
    client tcp: TCPStream,
    context: TLSContext,
    host: String
  ) throws(TransportError) {
    self.tcp = tcp
    name = host
    let descriptor = try tcp.descriptor()
    do throws(TLSError) {
      session = try TLSSession(client: context, host: host, descriptor: descriptor)
    } catch {
      throw TransportError(error, peer: host)
    }
  }

  /// Starts the server's side; `handshake` comes next.
  ///
  /// - Parameters:
  ///   - tcp: The connection, which the stream owns from now on.
  ///   - context: A server's context.
  /// - Throws: `TransportError` if the connection is closed.
  package init(server tcp: TCPStream, context: TLSContext) throws(TransportError) {
    self.tcp = tcp
    name = "\(tcp.peer)"
    let descriptor = try tcp.descriptor()
    do throws(TLSError) {
      session = try TLSSession(server: context, descriptor: descriptor)
    } catch {
      throw TransportError(error, peer: name)
    }
  }

  /// Shakes hands.
  ///
  /// - Parameter deadline: The monotonic time to give up at.
  /// - Throws: `TransportError` with `.tls` and what is wrong, or why the connection broke.
  package func handshake(deadline: Int64?) async throws(TransportError) {
    while true {
      let progress = try step { session throws(TLSError) in try session.handshake() }
      switch progress {
      case .done: return
      case .wantsRead: try await tcp.wait(.readable, deadline: deadline, "TLS with \(name)")
      case .wantsWrite: try await tcp.wait(.writable, deadline: deadline, "TLS with \(name)")
      case .failed(let number): throw .system("TLS with \(name)", errno: number)
      case .end:
        throw TransportError(
          .reset,
          "\(name) closed the connection during the TLS handshake; does it speak TLS on this port?"
        )
      }
    }
  }

  package func read(
    into buffer: UnsafeMutableRawBufferPointer
  ) throws(TransportError) -> IOResult {
    switch try step({ session throws(TLSError) in try session.read(into: buffer) }) {
    case .done(let count): return .bytes(count)
    case .wantsRead: readWaitsFor = .readable
    case .wantsWrite: readWaitsFor = .writable
    case .end(let clean): return .end(clean: clean)
    case .failed(let number): throw .system("reading from \(name)", errno: number)
    }
    return .wouldBlock
  }

  package func write(_ buffer: UnsafeRawBufferPointer) throws(TransportError) -> IOResult {
    switch try step({ session throws(TLSError) in try session.write(buffer) }) {
    case .done(let count): return .bytes(count)
    case .wantsRead: writeWaitsFor = .readable
    case .wantsWrite: writeWaitsFor = .writable
    case .end: throw TransportError(.reset, "\(name) has closed the connection")
    case .failed(let number):
      // A server that refuses the client's certificate says so only now in TLS 1.3, and hangs up:
      // the alert is worth more than "connection reset".
      _ = try step { session throws(TLSError) in
        try session.checkForAlert()
        return .failed(errno: number)
      }
      throw .system("writing to \(name)", errno: number)
    }
    return .wouldBlock
  }

  package func waitUntilReadable(deadline: Int64?) async throws(TransportError) {
    try await tcp.wait(readWaitsFor, deadline: deadline, "reading from \(name)")
  }

  package func waitUntilWritable(deadline: Int64?) async throws(TransportError) {
    try await tcp.wait(writeWaitsFor, deadline: deadline, "writing to \(name)")
  }

  package func shutdown() {
    // If the socket does not take the alert now the other side is not reading, and would not see
    // it in time either.
    _ = session?.shutdown()
    tcp.shutdown()
  }

  package func close() {
    session = nil
    tcp.close()
  }

  // MARK: - What is known of the connection

  /// The version and cipher in words; nil when the stream is closed.
  package var summary: String? { session?.summary }

  /// Whether the handshake went on from an earlier connection.
  package var isResumed: Bool { session?.isResumed ?? false }

  /// The pin of the other side's public key.
  package var peerPin: PublicKeyPin? { session?.peerPin }

  private func step(
    _ call: (TLSSession) throws(TLSError) -> TLSSession.Progress
  ) throws(TransportError) -> TLSSession.Progress {
    guard let session else { throw .closed("the connection to \(name)") }
    do throws(TLSError) {
      return try call(session)
    } catch {
      throw TransportError(error, peer: name)
    }
  }
}
