// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import IBKR

/// Which name each subscription's records and files get.
///
/// Two subscriptions never share a name, so two instruments never share a file: the second of two
/// instruments with one symbol has its conid behind it.
struct SymbolNames {
  /// A subscription as far as names go: the instrument and the exchange that was asked for.
  private struct Target: Hashable {
    let conid: Int
    var exchange: Substring?
    /// The legs, for what has no conid.
    var combination: String?
  }

  private var symbols: [Int: String] = [:]
  private var targets: [UInt32: Target] = [:]
  private var names: [Target: String] = [:]
  private var owners: [String: Target] = [:]

  /// Learns an instrument's symbol; records that were named before keep their name.
  mutating func learn(_ instrument: Instrument) {
    if !instrument.symbol.isEmpty { symbols[instrument.conid] = instrument.symbol }
  }

  /// Learns what a subscription's number stands for.
  mutating func learn(_ key: SubscriptionKey) {
    guard let target = Self.target(of: key) else { return }
    targets[key.number] = target
  }

  /// The name of a subscription's records.
  ///
  /// - Parameters:
  ///   - conid: The instrument.
  ///   - subscription: The subscription's number, 0 if it is not known.
  /// - Returns: The symbol, with `@EXCH` if an exchange was asked for; the conid if there is none.
  mutating func name(conid: Int, subscription: UInt32) -> String {
    name(of: targets[subscription] ?? Target(conid: conid, exchange: nil))
  }

  /// The name of a subscription's records, nil if it has no instrument.
  mutating func name(of key: SubscriptionKey) -> String? {
    Self.target(of: key).map { name(of: $0) }
  }

  /// The symbol of an instrument; the conid if it could not be looked up, nil for none.
  func symbol(of conid: Int) -> String? {
    conid == 0 ? nil : symbols[conid] ?? String(conid)
  }

  private static func target(of key: SubscriptionKey) -> Target? {
    if let conid = key.conid { return Target(conid: conid, exchange: key.exchange) }
    return key.topic == .marketData ? Target(conid: 0, combination: key.target) : nil
  }

  /// The same for the same legs in every run.
  private static func digest(of combination: String) -> String? {
    let digest = try? Digest.of(Array(combination.utf8), .sha256)
    return digest.map { "combination-\(Hexadecimal.encode($0.prefix(8)))" }
  }

  private mutating func name(of target: Target) -> String {
    if let name = names[target] { return name }
    let suffix = target.exchange.map { "@\($0)" } ?? ""
    var name =
      target.combination ?? (symbols[target.conid] ?? String(target.conid)) + suffix
    // A name that is too long for a file, or that another instrument has, gives way to the conid,
    // which is unique; a combination has none, and gives way to a digest of its legs.
    if PartPath.encoded(name).utf8.count > 200 {
      name = target.combination.flatMap(Self.digest) ?? "\(target.conid)\(suffix)"
    }
    while let owner = owners[name], owner != target { name = "\(name)#\(target.conid)" }
    names[target] = name
    owners[name] = target
    return name
  }
}
