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
  /// What became of connection, session and subscriptions, and what the server said about them.
  case status
  /// Bars that fill gaps afterwards.
  case bar
  /// Bars that were asked for through the socket (`smh`), a row for each.
  case history
  /// Lines of an order book (`sbd`), as they came.
  case book
  /// Orders (`sor`), as they came: a row says what has changed.
  case order
  /// Executions (`str`), each as often as it came.
  case trade
  /// Profit and loss (`spl`).
  case pnl
  /// Accounts by currency (`sld`).
  case ledger
  /// Figures of accounts (`ssd`).
  case summary

  /// What is recorded when nobody says otherwise.
  public static let standard: Set<Channel> = [.raw, .quote, .gap, .status]
}
