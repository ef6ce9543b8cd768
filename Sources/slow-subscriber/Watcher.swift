// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// Notes what the stream tells everybody of a subscriber that must not lose anything.
actor Watcher {
  private let events: EventStream
  private(set) var gaps = 0
  private(set) var lostInGaps: UInt64 = 0
  private(set) var pauses = 0
  private(set) var isPaused = false
  /// Why connections were lost, in words.
  private(set) var losses: [String] = []

  init(_ events: EventStream) {
    self.events = events
  }

  func watch() async {
    do throws(IbkrError) {
      for try await event in events { note(event) }
    } catch {
      // Only the policy `fail` fails.
    }
  }

  private func note(_ event: Event) {
    switch event {
    case .gap(let gap) where gap.reason == .overflow && gap.phase == .ended:
      gaps += 1
      lostInGaps += gap.count ?? 0
    case .connection(.readingPaused, _):
      pauses += 1
      isPaused = true
    case .connection(.readingResumed, _): isPaused = false
    case .connection(.lost(let reason, let words, _), _):
      losses.append("\(reason.rawValue): \(words)")
    default: break
    }
  }
}
