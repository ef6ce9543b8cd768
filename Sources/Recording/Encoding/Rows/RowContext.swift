// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// Where a row comes from.
enum RowSource: String, Sendable, Hashable {
  /// The socket.
  case stream
  /// A question by REST after a gap.
  case resync
  /// The slow questions by REST beside a feed.
  case poll
  /// A question by REST for the bars of a gap.
  case backfill

  /// Where the rows of a message come from.
  init(_ kind: FrameKind) {
    switch kind {
    case .resync: self = .resync
    case .poll: self = .poll
    case .backfill: self = .backfill
    case .text, .binary, .close, .ping, .pong: self = .stream
    }
  }
}

/// What a row's columns need to know besides the object that the row is made of.
struct RowContext: Sendable {
  /// The row's place in its message, from 0.
  var index = 0
  /// The instrument that the message is about.
  var conid: Int?
  /// The instrument's name.
  var symbol: String?
  /// Whether the row is part of an image and not a market event.
  var isSnapshot = false
  /// Where the row comes from.
  var source = RowSource.stream
  /// Whether the run has recorded the same execution before.
  var isDuplicate = false
  /// The account that the message names for all of its rows.
  var account: String?
  /// The model that the message names besides the account.
  var model: String?
  /// The exchange that the message names.
  var exchange: String?
  /// The gap that the row fills.
  var gapID: String?
  /// What an answer says besides its bars; of its first row only.
  var answer: String?
  /// The values of the answer that its bars are read with.
  var bars = BarTerms()
  /// What a row of `ch=status` is about.
  var status = StatusWords()

  /// What an answer with bars says of all of them.
  struct BarTerms: Sendable {
    /// What the server calls the request.
    var serverID: String?
    /// How many seconds a bar spans.
    var seconds: Int?
    /// By what volumes are multiplied.
    var volumeFactor = 1
    /// What the bars are made of, if that was asked for.
    var source: BarSource?
  }

  /// What a row of `ch=status` is about.
  struct StatusWords: Sendable {
    /// The sort of event.
    var kind = ""
    /// The feed.
    var topic: String?
    /// What of the feed.
    var target: String?
    /// The name of the value that says the state.
    var stateName: String?
    /// The name of the value that says why, or what.
    var textName: String?
  }
}
