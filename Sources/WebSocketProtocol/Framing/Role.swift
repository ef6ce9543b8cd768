// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Which end of a connection this is (RFC 6455 section 1.2).
package enum Role: Sendable {
  /// The end that asked for the upgrade; it masks what it sends (section 5.3).
  case client

  /// The end that accepted; what it receives is masked.
  case server
}
