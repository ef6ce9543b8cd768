// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Whether to throw out another login of the same user name.
///
/// IBKR has one brokerage session for a user name, over all its programs. Two programs that always
/// take it from each other do so for ever (protocol reference 3.7).
public enum CompetePolicy: String, Sendable, Hashable, CaseIterable {
  /// Waits until the other login is gone.
  case never
  /// Takes the session once, at the start; who takes it afterwards keeps it.
  case start
  /// Takes the session back whenever it is lost to another login.
  case always
}
