// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A set of topics that can be asked without hashing.
struct TopicSet: OptionSet, Sendable, Hashable {
  let rawValue: UInt32

  init(rawValue: UInt32) { self.rawValue = rawValue }

  init(_ topic: Topic) { rawValue = 1 << Self.place(of: topic) }

  init(_ topics: some Sequence<Topic>) {
    rawValue = topics.reduce(0) { $0 | TopicSet($1).rawValue }
  }

  static let all = TopicSet(Topic.allCases)

  private static func place(of topic: Topic) -> UInt32 {
    switch topic {
    case .marketData: 0
    case .history: 1
    case .priceLadder: 2
    case .orders: 3
    case .trades: 4
    case .profitAndLoss: 5
    case .accountSummary: 6
    case .accountLedger: 7
    case .system: 8
    case .status: 9
    case .accounts: 10
    case .notification: 11
    case .bulletin: 12
    case .tic: 13
    case .error: 14
    case .waitingForSession: 15
    case .unsubscribed: 16
    case .unrecognised: 17
    }
  }
}
