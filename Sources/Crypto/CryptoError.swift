// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL

/// Why a cryptographic operation could not be done.
///
/// Holds no key, plaintext or other input: only what was tried and OpenSSL's own reasons.
public struct CryptoError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of failure, for programs that react to one of them.
  public struct Code: Sendable, Hashable {
    private enum Value { case failed, invalidEncoding, invalidKey, invalidInput }
    private let value: Value
    private init(_ value: Value) { self.value = value }

    /// OpenSSL refused the operation or ran out of memory.
    public static let failed = Code(.failed)
    /// Text that should be base64, hexadecimal or PEM is not.
    public static let invalidEncoding = Code(.invalidEncoding)
    /// A key of the wrong kind, too small, encrypted, or damaged.
    public static let invalidKey = Code(.invalidKey)
    /// An argument outside what the operation allows.
    public static let invalidInput = Code(.invalidInput)
  }

  /// The kind of failure.
  public let code: Code
  private let operation: String
  private let reasons: [String]

  /// An error with the reasons that this thread's OpenSSL queue holds; the queue is empty after.
  ///
  /// The queue belongs to the thread, so it has to be read at once, before the task can move.
  static func drainingQueue(_ operation: String, code: Code = .failed) -> CryptoError {
    var reasons: [String] = []
    while true {
      let error = ERR_get_error()
      guard error != 0 else { break }
      // The first entries name the cause, and a damaged input may leave dozens behind them.
      if reasons.count < 4 {
        reasons.append(ERR_reason_error_string(error).map { String(cString: $0) } ?? "\(error)")
      }
    }
    return CryptoError(code: code, operation: operation, reasons: reasons)
  }

  init(_ code: Code, _ operation: String) {
    self.init(code: code, operation: operation, reasons: [])
  }

  private init(code: Code, operation: String, reasons: [String]) {
    self.code = code
    self.operation = operation
    self.reasons = reasons
  }

  /// What was tried and why it did not work.
  public var description: String {
    reasons.isEmpty ? operation : "\(operation): \(reasons.joined(separator: "; "))"
  }
}
