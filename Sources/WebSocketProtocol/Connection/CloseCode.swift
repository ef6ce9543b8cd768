// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Why a connection was closed (RFC 6455 section 7.4).
public struct CloseCode: RawRepresentable, Hashable, Sendable {
  /// The number on the wire.
  public let rawValue: UInt16

  /// Makes a close code of any number; ``isAllowedOnTheWire`` tells whether a frame may carry it.
  ///
  /// - Parameter rawValue: The number on the wire.
  public init(rawValue: UInt16) {
    self.rawValue = rawValue
  }

  /// 1000: the purpose of the connection is fulfilled.
  public static let normal = CloseCode(rawValue: 1000)
  /// 1001: a server goes down, or a browser leaves the page.
  public static let goingAway = CloseCode(rawValue: 1001)
  /// 1002: the peer broke RFC 6455.
  public static let protocolError = CloseCode(rawValue: 1002)
  /// 1003: data of a type that the endpoint cannot accept.
  public static let unsupportedData = CloseCode(rawValue: 1003)
  /// 1005: the peer's close frame had no code; never sent.
  public static let noStatus = CloseCode(rawValue: 1005)
  /// 1006: the connection ended without a close frame; never sent.
  public static let abnormal = CloseCode(rawValue: 1006)
  /// 1007: data not consistent with its type, such as text that is not UTF-8.
  public static let invalidPayload = CloseCode(rawValue: 1007)
  /// 1008: a policy of the endpoint was violated.
  public static let policyViolation = CloseCode(rawValue: 1008)
  /// 1009: a message too big to process.
  public static let messageTooBig = CloseCode(rawValue: 1009)
  /// 1010: the server did not negotiate an extension that the client needs.
  public static let mandatoryExtension = CloseCode(rawValue: 1010)
  /// 1011: the server met an unexpected condition.
  public static let internalError = CloseCode(rawValue: 1011)

  /// Whether a close frame may carry this code (sections 7.4.1 and 7.4.2).
  ///
  /// 1004 is reserved; 1005, 1006 and 1015 only describe what happened locally; 1012 to 1014 were
  /// registered with IANA later; 3000 to 3999 are for libraries and 4000 to 4999 for applications.
  public var isAllowedOnTheWire: Bool {
    switch rawValue {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }
}

extension CloseCode: CustomStringConvertible {
  /// The number.
  public var description: String { "\(rawValue)" }
}
