// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc
import Transport

/// Ctrl-Z and its end, for a process whose threads all block the signals.
///
/// The main thread waits for them, so that whatever is on the terminal is put away before the shell
/// gets it, and drawn again when the shell gives it back.
enum JobControl {
  /// What a screen does about it.
  struct Duties: Sendable {
    /// The terminal is about to be somebody else's.
    let suspend: @Sendable () -> Void
    /// The process goes on; also called when it was stopped without a word.
    let resume: @Sendable () -> Void
  }

  /// The signals, to be blocked before any thread exists.
  ///
  /// The terminal may be set and read from the
  /// background with the last two blocked: that must not stop us in the middle of putting it right.
  static let signals = [SIGTSTP, SIGCONT, SIGWINCH, SIGTTOU, SIGTTIN]

  private static let duties = Locked<Duties?>(nil)

  /// Says what to do, nil for nothing.
  static func set(_ new: Duties?) {
    duties.withLock { $0 = new }
  }

  /// Serves the signals; the main thread's work for as long as the process lives.
  static func serve() -> Never {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGTSTP)
    sigaddset(&set, SIGCONT)
    while true {
      switch sigwaitinfo(&set, nil) {
      case SIGTSTP:
        duties.withLock { $0 }?.suspend()
        stop()
        duties.withLock { $0 }?.resume()
      case SIGCONT: duties.withLock { $0 }?.resume()
      default: break
      }
    }
  }

  /// Stops as the signal would have: with its own action, which leaves a process alone that nobody
  /// could continue.
  private static func stop() {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGTSTP)
    kill(getpid(), SIGTSTP)
    // It is delivered here, to the only thread that does not block it.
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }
}
