// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A kind of record, and the folder that holds it.
///
/// One file has records of one channel only.
public enum Channel: String, Sendable, Hashable, CaseIterable {
  /// Every message, control frame and event, exact: the log that the others follow from.
  case raw
  /// The merged top of book of one instrument, a row for each of its messages.
  case quote
  /// Stretches of time in which data may be missing.
  case gap

  /// What is recorded when nobody says otherwise.
  public static let standard: Set<Channel> = [.raw, .quote, .gap]

  /// Whether the channel has a folder for each instrument.
  package var isPartitionedBySymbol: Bool { self == .quote }
}
