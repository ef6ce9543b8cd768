// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What happens to a text message that is not UTF-8.
public enum TextPolicy: Sendable, Hashable {
  /// RFC 6455 section 8.1: the connection is failed with 1007 at the first byte that shows it.
  case strict

  /// The message is delivered as it is, with ``MessageBatch/Entry/isValidUTF8`` false. IBKR sends
  /// such messages, and closing the connection would lose all the good ones after it.
  case tolerant
}
