// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import CLinux
import Flow
import Glibc

/// Finds the addresses behind a host name.
package protocol Resolver: Sendable {
  /// Looks a name up without blocking the loop.
  ///
  /// - Parameters:
  ///   - host: A name, or an address as text.
  ///   - port: The port that the addresses shall have.
  ///   - loop: The loop that the caller waits on.
  ///   - deadline: The monotonic time to give up at.
  /// - Returns: At least one address, the preferred ones of each family first (RFC 6724).
  /// - Throws: `TransportError` with `nameNotFound`, `nameLookupFailed`, `nameLookupTimedOut` or
  ///   `cancelled`.
  func addresses(
    of host: String,
    port: UInt16,
    on loop: EventLoop,
    deadline: Int64?
  ) async throws(TransportError) -> [SocketAddress]
}

/// The system's resolver, `getaddrinfo`, on threads of its own.
///
/// `getaddrinfo` cannot be interrupted, and a dead name server holds it for tens of seconds. So a
/// look-up that takes too long is abandoned: its thread ends when the system lets it. At most
/// ``maximumThreads`` exist at once, stuck ones included; further look-ups wait for their turn.
/// Each family is asked for by itself (RFC 8305 section 3), so that a name server that swallows
/// the question for IPv6 addresses does not hold up the answer that has come for IPv4.
/// When a name cannot be looked up, what it last stood for is tried instead: a recorder must not
/// stop because a name server does.
package final class SystemResolver: Resolver {
  /// How many look-ups may be under way, those that were abandoned included.
  package static let maximumThreads = 4

  /// How long the answer for one family is held back for that of the other (RFC 8305 section 8).
  ///
  /// The standard starts with IPv6 addresses at once; those wait here too, so that the attempts
  /// know all addresses from the beginning.
  static let resolutionDelay: Int64 = 50_000_000

  /// Asks the system, and blocks until it answers.
  typealias Ask =
    @Sendable (_ host: String, _ port: UInt16, SocketAddress.Family) -> Result<
      [SocketAddress], TransportError
    >

  /// A program speaks to a handful of hosts.
  private static let maximumRemembered = 64

  /// The resolver that everybody shares who does not bring one.
  package static let shared = SystemResolver()

  private struct State {
    var threads = 0
    /// Look-ups whose callers wait for a thread to be free; callers that give up leave.
    var waiting: [Inquiry] = []
    var lastGood: [String: [SocketAddress]] = [:]
  }

  private let state = Locked(State())
  private let ask: Ask

  /// Makes a resolver with a memory and threads of its own.
  package convenience init() { self.init(asking: Self.askSystem) }

  /// Makes a resolver that asks somebody else, for tests.
  init(asking ask: @escaping Ask) { self.ask = ask }

  /// How many look-ups are under way, those that were abandoned included.
  package var threadsInUse: Int { state.withLock { $0.threads } }

  package func addresses(
    of host: String,
    port: UInt16,
    on loop: EventLoop,
    deadline: Int64?
  ) async throws(TransportError) -> [SocketAddress] {
    if let address = SocketAddress(literal: host, port: port) { return [address] }
    let key = "\(host):\(port)"
    do {
      let found = try await lookUp(host, port, on: loop, deadline: deadline)
      state.withLock { state in
        if state.lastGood.count >= Self.maximumRemembered { state.lastGood.removeAll() }
        state.lastGood[key] = found
      }
      return found
    } catch {
      guard error.code != .cancelled, let known = state.withLock({ $0.lastGood[key] }) else {
        throw error
      }
      return known
    }
  }

  // MARK: One name, both families

  private func lookUp(
    _ host: String,
    _ port: UInt16,
    on loop: EventLoop,
    deadline: Int64?
  ) async throws(TransportError) -> [SocketAddress] {
    let inquiries = [SocketAddress.Family.v6, .v4].map { Inquiry(host, port, $0, self, loop) }
    defer {
      for inquiry in inquiries { loop.close(inquiry.source) }
      state.withLock { state in
        state.waiting.removeAll { waiting in inquiries.contains { $0 === waiting } }
      }
    }
    for inquiry in inquiries { try start(inquiry) }
    var patience: Int64?
    while true {
      let answers = inquiries.map { inquiry in inquiry.answer.withLock { $0 } }
      let found = answers.flatMap { (try? $0?.get()) ?? [] }
      let unanswered = zip(inquiries, answers).filter { $1 == nil }.map { $0.0.source }
      if unanswered.isEmpty, found.isEmpty { throw Self.error(answers, host) }
      if unanswered.isEmpty || !found.isEmpty && loop.now >= patience ?? .max { return found }
      if !found.isEmpty, patience == nil { patience = loop.now + Self.resolutionDelay }
      let limit = min(patience ?? .max, deadline ?? .max)
      switch await loop.wait(for: unanswered, deadline: limit == .max ? nil : limit) {
      case .ready: continue
      case .cancelled: throw .cancelled("the look-up of \(host)")
      case .closed: throw .closed("the event loop")
      case .timedOut:
        guard found.isEmpty else { return found }
        throw TransportError(
          .nameLookupTimedOut,
          "the name \(host) could not be looked up in time; is the name server reachable?"
        )
      }
    }
  }

  /// The error of a name for which neither family has an address: that it does not exist is only
  /// certain if both say so.
  private static func error(
    _ answers: [Result<[SocketAddress], TransportError>?],
    _ host: String
  ) -> TransportError {
    let errors = answers.compactMap { answer -> TransportError? in
      if case .failure(let error)? = answer { error } else { nil }
    }
    return errors.first { $0.code != .nameNotFound } ?? errors.first
      ?? TransportError(.nameNotFound, "the name \(host) has no addresses")
  }

  // MARK: One look-up

  /// What the thread leaves behind: its answer, and whom to tell.
  private final class Inquiry: Sendable {
    let host: String
    let port: UInt16
    let family: SocketAddress.Family
    let resolver: SystemResolver
    let loop: EventLoop
    let source: EventLoop.SourceID
    let answer = Locked<Result<[SocketAddress], TransportError>?>(nil)

    init(
      _ host: String,
      _ port: UInt16,
      _ family: SocketAddress.Family,
      _ resolver: SystemResolver,
      _ loop: EventLoop
    ) {
      self.host = host
      self.port = port
      self.family = family
      self.resolver = resolver
      self.loop = loop
      source = loop.openInMemory()
    }
  }

  private func start(_ inquiry: Inquiry) throws(TransportError) {
    let mayStart = state.withLock { state in
      guard state.threads < Self.maximumThreads else {
        state.waiting.append(inquiry)
        return false
      }
      state.threads += 1
      return true
    }
    guard mayStart else { return }
    var thread = pthread_t()
    let context = Unmanaged.passRetained(inquiry)
    let failure = pthread_create(
      &thread,
      nil,
      { context in
        guard let context else { return nil }
        SystemResolver.work(from: Unmanaged<Inquiry>.fromOpaque(context).takeRetainedValue())
        return nil
      },
      context.toOpaque()
    )
    guard failure == 0 else {
      context.release()
      state.withLock { $0.threads -= 1 }
      throw .system("pthread_create for a name look-up", errno: failure)
    }
    pthread_detach(thread)
  }

  /// The life of a thread: one look-up, and then those that wait.
  private static func work(from first: Inquiry) {
    var next: Inquiry? = first
    while let inquiry = next {
      let answer = inquiry.resolver.ask(inquiry.host, inquiry.port, inquiry.family)
      next = inquiry.resolver.state.withLock { state in
        if !state.waiting.isEmpty { return state.waiting.removeFirst() }
        state.threads -= 1
        return nil
      }
      inquiry.answer.withLock { $0 = answer }
      inquiry.loop.signal(inquiry.source.key, readable: true, writable: false)
    }
  }

  // MARK: The system

  private static func askSystem(
    _ host: String,
    _ port: UInt16,
    _ family: SocketAddress.Family
  ) -> Result<[SocketAddress], TransportError> {
    var hints = addrinfo()
    hints.ai_family = family == .v4 ? AF_INET : AF_INET6
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, String(port), &hints, &list)
    guard code == 0 else { return .failure(error(code, host)) }
    defer { freeaddrinfo(list) }
    var found: [SocketAddress] = []
    var entry = list
    while let current = entry {
      if let raw = current.pointee.ai_addr,
        let address = SocketAddress(raw, length: current.pointee.ai_addrlen),
        !found.contains(address)
      {
        found.append(address)
      }
      entry = current.pointee.ai_next
    }
    return found.isEmpty ? .failure(error(EAI_NONAME, host)) : .success(found)
  }

  private static func error(_ code: Int32, _ host: String) -> TransportError {
    let reason = code == EAI_SYSTEM ? "system error \(errno)" : String(cString: gai_strerror(code))
    switch code {
    // A name without an address of the family that was asked for does not exist in that family.
    case EAI_NONAME, noData, addressFamily:
      return TransportError(
        .nameNotFound,
        "there is no host named \(host) (\(reason)); check the spelling in the URL"
      )
    default:
      return TransportError(
        .nameLookupFailed,
        "the name \(host) could not be looked up (\(reason)); is the name server reachable?"
      )
    }
  }

  // GNU extensions of <netdb.h>, which Glibc's module leaves out.
  private static let noData: Int32 = -5
  private static let addressFamily: Int32 = -9
}
