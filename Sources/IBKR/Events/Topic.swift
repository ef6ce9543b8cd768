// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What a message is about: the first three letters of its topic, or what its keys say.
///
/// The raw value is the feed's code on the wire. Commands of both verbs carry the feed's topic: an
/// outgoing `umd+265598+{}` is `.marketData`, like the `smd` that it ends.
public enum Topic: String, Sendable, Hashable, CaseIterable {
  /// `smd`: quotes of one instrument.
  case marketData = "smd"
  /// `smh`: historical bars through the socket.
  case history = "smh"
  /// `sbd`: price ladder.
  case priceLadder = "sbd"
  /// `sor`: live orders.
  case orders = "sor"
  /// `str`: executions.
  case trades = "str"
  /// `spl`: profit and loss.
  case profitAndLoss = "spl"
  /// `ssd`: account summary.
  case accountSummary = "ssd"
  /// `sld`: account ledger.
  case accountLedger = "sld"
  /// `system`: the greeting (`success`) and the heartbeats (`hb`).
  case system
  /// `sts`: authentication status, complete in the greeting, later only what changed.
  case status = "sts"
  /// `act`: the accounts of the session.
  case accounts = "act"
  /// `ntf`: notifications and prompts.
  case notification = "ntf"
  /// `blt`: bulletins.
  case bulletin = "blt"
  /// `tic`: the keep-alive and its answers.
  case tic
  /// A message with an `error` key and no topic of a feed.
  case error
  /// `{"message":"waiting for session"}`: the server does not know the session of the handshake.
  case waitingForSession
  /// A confirmation of an unsubscription, which names no topic.
  case unsubscribed
  /// Anything else. It is delivered like every message; only its meaning is unknown.
  case unrecognised
}
