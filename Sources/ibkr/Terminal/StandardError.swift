// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc

/// Standard error, which log lines share with what is drawn on the terminal.
enum StandardError {
  private struct State {
    /// The status line that stands below the log, nil for none.
    var status: String?
    /// The lines that a full screen keeps back; nil if nothing does.
    var held: [String]?
    var forgotten = 0
    var newest: String?
  }

  private static let state = Locked(State())
  /// The most lines that are kept back.
  private static let mostHeld = 200
  /// To the beginning of the line, which is erased.
  private static let erase = "\r\u{1B}[K"

  /// Writes a line of the log: above the status line, or later, when the screen is the shell's again.
  ///
  /// - Parameter line: The line, without its end.
  static func write(_ line: String) {
    state.withLock { state in
      state.newest = line
      if state.held != nil {
        state.held?.append(line)
        if state.held?.count ?? 0 > mostHeld {
          state.held?.removeFirst()
          state.forgotten += 1
        }
        return
      }
      guard let status = state.status else { return Output.write(line + "\n", to: 2) }
      Output.write("\(erase)\(line)\n\(status)", to: 2)
    }
  }

  /// Draws the status line, or takes it away.
  ///
  /// - Parameter status: The line, which has to fit; nil for none.
  static func show(_ status: String?) {
    state.withLock { state in
      guard status != state.status else { return }
      defer { state.status = status }
      // A terminal that takes nothing now shall not hold up the log.
      guard isReady(for: 0) else { return }
      Output.write(erase + (status ?? ""), to: 2)
    }
  }

  /// Keeps lines back while something is drawn over the terminal that they would go to.
  static func hold() {
    guard isatty(2) == 1 else { return }
    state.withLock { $0.held = $0.held ?? [] }
  }

  /// Writes what was kept back, as far as the terminal takes it.
  static func release() {
    state.withLock { state in
      guard let held = state.held else { return }
      let more = state.forgotten > 0 ? ["… \(state.forgotten) lines before these"] : []
      (state.held, state.forgotten) = (nil, 0)
      for line in more + held {
        // A line that is lost with its terminal is nobody's to read; the end of the process is
        // somebody's to wait for.
        guard isReady(for: 500) else { return }
        Output.write(line + "\n", to: 2)
      }
    }
  }

  /// Whether standard error takes something, within some milliseconds.
  private static func isReady(for milliseconds: Int32) -> Bool {
    var wanted = pollfd(fd: 2, events: Int16(POLLOUT), revents: 0)
    return poll(&wanted, 1, milliseconds) == 1
  }

  /// The newest line of the log, for a screen to show.
  static var newest: String? { state.withLock { $0.newest } }
}
