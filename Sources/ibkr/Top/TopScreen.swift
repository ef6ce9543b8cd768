// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import JSON

/// The screen of `ibkr top`.
final class TopScreen: ScreenContent {
  private struct State {
    var frame = TopFrame()
    /// The answers of the last seconds, the newest last.
    var answers: [RecorderStatus]
    var failure = ""
    var height = 24
  }

  private let state: Locked<State>
  private let place: String

  /// Over how many answers rates are taken.
  private static let depth = 6

  /// Begins with a first answer.
  init(_ first: JSONValue, at moment: Int64, from place: String) {
    state = Locked(State(answers: [RecorderStatus(first, at: moment)]))
    self.place = place
  }

  var isReady: Bool { true }

  /// Takes an answer.
  func take(_ status: JSONValue, at moment: Int64) {
    let answer = RecorderStatus(status, at: moment)
    state.withLock { state in
      // One that was started anew counts from the beginning.
      if answer.uptime < state.answers.last?.uptime ?? 0 { state.answers = [] }
      state.answers.append(answer)
      if state.answers.count > Self.depth { state.answers.removeFirst() }
      state.failure = ""
    }
  }

  /// Nothing was answered; what is known stays, with a word about it.
  func fail(_ why: String) {
    state.withLock { $0.failure = why }
  }

  func press(_ key: Key) {
    state.withLock { state in
      let page = max(1, state.height - 10)
      switch key {
      case .up, .character("k"): state.frame.top -= 1
      case .down, .character("j"): state.frame.top += 1
      case .pageUp: state.frame.top -= page
      case .pageDown, .character(" "): state.frame.top += page
      case .home, .character("g"): state.frame.top = 0
      case .end, .character("G"): state.frame.top = .max / 2
      case .character: break
      }
    }
  }

  func frame(on terminal: Terminal) -> [StyledLine] {
    state.withLock { state in
      state.height = terminal.height
      guard let last = state.answers.last else { return [] }
      return state.frame.lines(
        last,
        since: state.answers.count > 1 ? state.answers.first : nil,
        from: place,
        failure: state.failure,
        on: terminal
      )
    }
  }
}
