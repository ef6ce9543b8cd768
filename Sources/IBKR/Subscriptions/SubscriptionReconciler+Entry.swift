// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension SubscriptionReconciler {
  /// How far a subscription has come.
  enum Phase: Equatable {
    case pending
    case requested(attempt: Int, retryAt: Int64)
    case active(renewAt: Int64)
    case renewing(retryAt: Int64, isSilent: Bool)
    case failed
  }

  /// A subscription that is wanted.
  struct Entry {
    let key: SubscriptionKey
    var request: FeedRequest
    var holders = 1
    var phase = Phase.pending
    /// Whether a request for history has been ended though it is still wanted: it has had its answer,
    /// and others needed its place.
    var hasGivenWay = false
    /// How often in a row it has sent no image when asked, and seems well all the same.
    var excuses = 0

    var identity: String { Self.identity(of: request) }

    /// What two subscriptions must not have in common.
    ///
    /// Requests for history differ by what they ask for; of everything else there is one for each
    /// target.
    static func identity(of request: FeedRequest) -> String {
      request.topic == .history
        ? request.subscribeCommand : "\(request.topic.rawValue)+\(request.target)"
    }

    /// The command that ends what the server has open of it, nil if nothing is.
    var farewell: String? {
      phase == .pending || hasGivenWay ? nil : request.unsubscribeCommand
    }
  }
}
