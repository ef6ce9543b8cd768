// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Something that goes wrong at a gateway, or at api.ibkr.com.
public enum Fault: Sendable, Hashable {
  /// Every socket loses its TCP connection without a closing handshake.
  case dropConnections
  /// Every socket gets a close frame with this code.
  case closeConnections(code: UInt16)
  /// Nothing is accepted and every socket is dropped, as while a gateway restarts.
  case refuseConnections(for: Duration)
  /// Sockets stay open, but nothing comes through them, heartbeats included.
  case silence(for: Duration)
  /// Every open socket is dead, and both sides take it for open: what is sent either way is lost.
  ///
  /// Afterwards the server notices and drops it. Sockets that are opened meanwhile are as usual.
  case halfOpen(for: Duration)
  /// Heartbeats go on, market data does not.
  case dataPause(for: Duration)
  /// Market data goes on, heartbeats do not.
  case heartbeatPause(for: Duration)
  /// From now on every subscription to market data ends so long after it was last asked for, without
  /// a word.
  case expiry(after: Duration)
  /// The subscription to one instrument ends without a word, while all others go on.
  ///
  /// Asking again brings it back; where the socket is deaf, only another connection does.
  case muteInstrument(conid: Int, isDeaf: Bool)
  /// Subscribing to market data gets no answer.
  case ignoreSubscriptions(for: Duration)
  /// Subscribing to market data is answered with an error.
  case refuseSubscriptions(for: Duration)
  /// Messages come in another form.
  case distort(Distortion, for: Duration)
  /// Every open socket gets something that a client must be able to bear.
  case say(Oddity)
  /// Every open socket gets so many quotes of what it is subscribed to at once.
  case flood(messages: Int)
  /// Every open socket gets a frame that RFC 6455 forbids.
  case breakProtocol(Breach)
  /// Every socket gets the first half of a message and loses its TCP connection.
  case cutConnections
  /// Every subscription to market data ends without a word, as those do that were not renewed; asking
  /// again brings it back.
  case expireSubscriptions
  /// The brokerage session is gone; its return is told, or not.
  ///
  /// `ssodh/init` brings it back earlier, without a message.
  case authenticationLoss(for: Duration, announcesReturn: Bool)
  /// The brokerage session is gone until a client opens it again; the loss is told, or not.
  ///
  /// Its return is never told: only `auth/status` shows it.
  case brokerageLoss(isAnnounced: Bool)
  /// Another login of the same user name holds the brokerage session.
  ///
  /// Afterwards a gateway has it back by itself; with OAuth it has to be opened again.
  case competingLogin(for: Duration)
  /// Account data is not loaded: `established` is false, and lists of accounts are empty.
  case notEstablished(for: Duration)
  /// The live session token of an OAuth login is no longer known: every request is answered 401
  /// until there is another one.
  case tokenLoss
  /// The user logs in again: another session id, every socket closed with 1000.
  case newSession
  /// Nobody is logged in, and nobody can log in: every request is answered 401.
  ///
  /// Afterwards somebody has logged in at a gateway, which means another session id and every
  /// socket closed with 1000; with OAuth a new live session token can be had again.
  case loginLoss(for: Duration)
  /// The server gives the session up and answers every request, one for a token included, 410.
  case gone(for: Duration)
  /// Every request is answered 429, with a `Retry-After` or without.
  case tooManyRequests(for: Duration, retryAfter: Duration?)
  /// Questions for bars are answered in another way.
  case history(HistoryTrouble, for: Duration)
  /// A `tickle` gets no answer at all; its connection stays open.
  case tickleTimeout(for: Duration)
  /// The brokerage session is away and cannot be opened; then every login has ended.
  ///
  /// Afterwards somebody has logged in at a gateway again, and an OAuth client needs a new live
  /// session token. Every socket is closed with 1000 at the end.
  case nightlyReset(for: Duration)
}
