// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// Why a connection could not be made, or does not go on.
///
/// Compare `code`; show `description`, which says what happened, where, and what to do about it.
/// It never holds what was sent or received.
public struct TransportError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of failure.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private enum Backing: String {
      case nameNotFound, nameLookupFailed, nameLookupTimedOut
      case refused, unreachable, reset
      case timedOut, cancelled, closed
      case tls, notSupported, system
    }

    private let backing: Backing

    /// No such host name, or it has no address.
    public static let nameNotFound = Code(backing: .nameNotFound)
    /// The name servers could not be asked, or did not know.
    public static let nameLookupFailed = Code(backing: .nameLookupFailed)
    /// The name look-up did not end in time.
    public static let nameLookupTimedOut = Code(backing: .nameLookupTimedOut)
    /// The host is there, and nothing listens on the port.
    public static let refused = Code(backing: .refused)
    /// There is no way to the host.
    public static let unreachable = Code(backing: .unreachable)
    /// The connection was cut by the other side or by the network.
    public static let reset = Code(backing: .reset)
    /// The deadline came first.
    public static let timedOut = Code(backing: .timedOut)
    /// The task was cancelled.
    public static let cancelled = Code(backing: .cancelled)
    /// The stream, or its event loop, was closed on this side.
    public static let closed = Code(backing: .closed)
    /// TLS failed: see ``TransportError/tls``.
    public static let tls = Code(backing: .tls)
    /// What was asked cannot be done here.
    public static let notSupported = Code(backing: .notSupported)
    /// A system call failed in a way that has no code of its own: see `errno`.
    public static let system = Code(backing: .system)

    /// The code's name.
    public var description: String { backing.rawValue }
  }

  /// What kind of failure.
  public let code: Code

  /// The system's error number, where the failure has one.
  public let errno: Int32?

  /// What is wrong with TLS, where `code` is ``Code/tls``.
  public let tls: TLSError?

  private let message: String

  /// Makes an error.
  ///
  /// - Parameters:
  ///   - code: What kind.
  ///   - message: One sentence: what happened, where, what to do.
  ///   - errno: The system's error number, if there is one.
  package init(_ code: Code, _ message: String, errno: Int32? = nil) {
    self.code = code
    self.message = message
    self.errno = errno
    tls = nil
  }

  /// Makes the error of a TLS failure.
  ///
  /// - Parameters:
  ///   - tls: What is wrong.
  ///   - peer: The other side's name.
  package init(_ tls: TLSError, peer: String) {
    code = .tls
    message = "TLS with \(peer): \(tls)"
    errno = nil
    self.tls = tls
  }

  /// One sentence for a person.
  public var description: String { message }
}

extension TransportError {
  /// The error of a system call that has just failed.
  ///
  /// - Parameters:
  ///   - call: The call's name, and what it was for.
  ///   - number: Its error number.
  /// - Returns: The error, with the code that the number stands for.
  package static func system(_ call: String, errno number: Int32 = Glibc.errno) -> TransportError {
    let code: Code =
      switch number {
      case ECONNREFUSED: .refused
      case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EADDRNOTAVAIL, EAFNOSUPPORT: .unreachable
      case ECONNRESET, EPIPE, ECONNABORTED, ENOTCONN: .reset
      case ETIMEDOUT: .timedOut
      default: .system
      }
    return TransportError(code, "\(call): \(Self.text(number))", errno: number)
  }

  /// The error of a wait that was given up because its task was cancelled.
  package static func cancelled(_ what: String) -> TransportError {
    TransportError(.cancelled, "\(what) was cancelled")
  }

  /// The error of using what has been closed on this side.
  package static func closed(_ what: String) -> TransportError {
    TransportError(.closed, "\(what) is closed")
  }

  /// The system's words for an error number.
  private static func text(_ number: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard let start = buffer.baseAddress, strerror_r(number, start, buffer.count) == 0 else {
        return "error \(number)"
      }
      return String(cString: start)
    }
  }
}
