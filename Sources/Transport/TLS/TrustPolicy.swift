// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What makes a server's certificate trustworthy.
///
/// The default is ``system``. The gateway's own certificate is self-signed and often expired
/// (protocol reference 1.1): ``pinned(_:)`` is the safe answer to that, ``insecure`` the other one.
public struct TrustPolicy: Sendable, Hashable {
  enum Rule: Sendable, Hashable {
    case system
    case authoritiesFile(String)
    case authorities(pem: String)
    case pinned(Set<PublicKeyPin>)
    case insecure
  }

  let rule: Rule

  /// A chain to one of the system's roots, valid dates, and the host's name or address.
  public static let system = TrustPolicy(rule: .system)

  /// Nothing is checked: whoever sits in between can read and change everything.
  public static let insecure = TrustPolicy(rule: .insecure)

  /// A chain to one of these roots instead of the system's; dates and name are checked as ever.
  ///
  /// - Parameter file: A file of PEM certificates. It is read when a connection context is made.
  /// - Returns: The policy.
  public static func authorities(file: String) -> TrustPolicy {
    TrustPolicy(rule: .authoritiesFile(file))
  }

  /// A chain to one of these roots instead of the system's; dates and name are checked as ever.
  ///
  /// - Parameter pem: PEM certificates.
  /// - Returns: The policy.
  public static func authorities(pem: String) -> TrustPolicy {
    TrustPolicy(rule: .authorities(pem: pem))
  }

  /// One of these public keys, and nothing else: chain, name and dates are not looked at, because
  /// whoever holds the pinned key is the server.
  ///
  /// - Parameter pins: The keys; with none, every server is refused.
  /// - Returns: The policy.
  public static func pinned(_ pins: Set<PublicKeyPin>) -> TrustPolicy {
    TrustPolicy(rule: .pinned(pins))
  }

  /// Whether a stranger's certificate is taken.
  public var isInsecure: Bool { self == .insecure }

  /// Whether OpenSSL's own verification decides.
  var verifiesChain: Bool {
    switch rule {
    case .system, .authoritiesFile, .authorities: true
    case .pinned, .insecure: false
    }
  }
}

extension TrustPolicy: CustomStringConvertible {
  /// What is trusted, in a few words.
  public var description: String {
    switch rule {
    case .system: "the system's authorities"
    case .authoritiesFile(let file): "the authorities in \(file)"
    case .authorities: "given authorities"
    case .pinned(let pins): pins.map(\.description).sorted().joined(separator: ", ")
    case .insecure: "anybody"
    }
  }
}
