// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc
import IBKR
import Logging

/// Turns names into instruments: from the cache where it knows them, else from the server.
struct InstrumentLookUp {
  let options: CacheOptions
  /// Whether the server is a simulated one of this process, whose contracts nobody shall remember.
  let isSimulated: Bool
  let logger: Logger

  /// The instruments of names, where all are remembered: nobody has to be asked then.
  ///
  /// - Parameters:
  ///   - names: The names.
  ///   - server: Whose they are.
  /// - Returns: One instrument for each name; nil if one is not remembered.
  func remembered(_ names: [InstrumentName], of server: String) -> [Instrument]? {
    guard !options.isOff, !options.refresh, !isSimulated,
      let file = InstrumentCacheFile(variables: ProcessEnvironment.variables, logger: logger)
    else { return nil }
    let cache = file.read(now: Int64(time(nil)))
    let known = names.compactMap { cache[$0, server] }
    return known.count == names.count ? known : nil
  }

  /// Looks names up.
  ///
  /// - Parameters:
  ///   - names: The names.
  ///   - client: Whom to ask.
  /// - Returns: One instrument for each name, in order.
  /// - Throws: `IbkrError` for a name that is unknown or ambiguous, or why nobody could be asked.
  func instruments(
    _ names: [InstrumentName],
    with client: IbkrClient
  ) async throws(IbkrError) -> [Instrument] {
    let file =
      options.isOff || isSimulated
      ? nil : InstrumentCacheFile(variables: ProcessEnvironment.variables, logger: logger)
    guard let file else { return try await client.instruments(named: names) }
    let now = Int64(time(nil))
    let server = client.serverOrigin
    var cache = file.read(now: now)
    let missing = options.refresh ? names : names.filter { cache[$0, server] == nil }
    let found = try await client.instruments(named: missing)
    for (name, instrument) in zip(missing, found) {
      cache.insert(instrument, for: name, at: server, now: now)
    }
    if !missing.isEmpty || cache.damagedLines > 0 { file.write(cache) }
    let fresh = Dictionary(zip(missing, found)) { first, _ in first }
    let all = names.compactMap { fresh[$0] ?? cache[$0, server] }
    // What came from the cache was not searched for in this session.
    await client.announce(all.filter { !found.contains($0) })
    logger.debug("\(names.count - missing.count) of \(names.count) symbols are remembered")
    return all
  }
}
