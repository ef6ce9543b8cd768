// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import IBKR
import Recording
import Transport

/// What the program's end says; the numbers are documented and do not change.
enum ExitStatus: Int32, Sendable, Hashable {
  /// Done; also after the first signal, drained and sealed.
  case done = 0
  /// An error without a code of its own.
  case failure = 1
  /// Wrong usage.
  case usage = 2
  /// Nobody is logged in, or the login was refused.
  case authentication = 3
  /// The server could not be reached, or is not what it should be.
  case network = 4
  /// Finished, but the recording has gaps or drops, and `--strict` was given.
  case gaps = 5
  /// `verify` has found damage.
  case damage = 6
  /// The disk.
  case storage = 7
  /// Another login has taken the session, and `--exit-on-takeover` was given.
  case takeover = 8
  /// The configuration cannot work.
  case configuration = 78

  /// The status that an error ends the program with.
  init(_ error: any Error) {
    switch error {
    case let error as IbkrError: self.init(error.code)
    case let error as StorageError: self = error.code == .damaged ? .damage : .storage
    case is TransportError, is RecorderSilent: self = .network
    case is GapsFound, is BackfillsLeft: self = .gaps
    case let given as StreamGivenUp: self = given == .takeover ? .takeover : .network
    case let failed as ChecksFailed: self.init(failed.first.area)
    case is DamageFound: self = .damage
    default:
      // What ArgumentParser throws: help that was asked for is a success, all else is wrong usage.
      switch IBKRCommand.exitCode(for: error) {
      case .success: self = .done
      case .validationFailure: self = .usage
      default: self = .failure
      }
    }
  }

  private init(_ area: Check.Area) {
    switch area {
    case .configuration: self = .configuration
    case .network: self = .network
    case .session: self = .authentication
    case .storage: self = .storage
    }
  }

  private init(_ code: IbkrError.Code) {
    switch code {
    case .unknownSymbol, .ambiguousSymbol, .invalidSubscription: self = .usage
    case .authentication, .sessionGone, .competing: self = .authentication
    case .network, .timeout, .untrusted, .unexpectedAnswer: self = .network
    case .invalidConfiguration: self = .configuration
    case .storage: self = .storage
    default: self = .failure
    }
  }
}

/// That a run has ended well and `--strict` is not content with it.
struct GapsFound: Error, Hashable, CustomStringConvertible {
  var gaps: Int

  var description: String { "the recording has \(gaps) gaps: see ch=gap" }
}
