// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc
import Synchronization

/// Lets a library do something when the process is asked to end, in a program that it does not own.
///
/// The handler in force before comes afterwards: usually the one that ends the process. A program
/// that blocks the signals and reads them itself, as ``SignalSource`` does, is not disturbed: no
/// handler ever runs there.
package enum ExitSignals {
  private struct Duty: Sendable {
    let signals: [Int32]
    let body: @Sendable () async -> Void
  }

  private struct State: Sendable {
    var duties: [UInt64: Duty] = [:]
    var lastDuty: UInt64 = 0
    /// The actions that were replaced.
    var replaced: [Int32: Action] = [:]
    var loop: EventLoop?
  }

  /// `@unchecked Sendable`: a C structure of numbers and of the address of a C function.
  private struct Action: @unchecked Sendable {
    var value: sigaction
  }

  /// How long all duties together may take.
  private static let patience = Duration.seconds(10)

  /// The writing end of the pipe that the handler knows.
  private static let pipe = Atomic<Int32>(-1)
  private static let state = Locked(State())

  /// Adds something to do.
  ///
  /// - Parameters:
  ///   - signals: On which signals.
  ///   - duty: What to do; all duties together may take ten seconds.
  /// - Returns: A number to remove it by; nil if the system gives no thread or descriptor.
  package static func add(
    on signals: [Int32] = [SIGINT, SIGTERM],
    _ duty: @escaping @Sendable () async -> Void
  ) -> UInt64? {
    guard prepare() else { return nil }
    return state.withLock { state in
      state.lastDuty += 1
      state.duties[state.lastDuty] = Duty(signals: signals, body: duty)
      for signal in signals where state.replaced[signal] == nil {
        state.replaced[signal] = replaceAction(of: signal)
      }
      return state.lastDuty
    }
  }

  /// Removes a duty; a signal without duties does what it did before.
  ///
  /// - Parameter duty: What ``add(on:_:)`` returned.
  package static func remove(_ duty: UInt64) {
    state.withLock { state in
      guard let removed = state.duties.removeValue(forKey: duty) else { return }
      for signal in removed.signals
      where !state.duties.values.contains(where: { $0.signals.contains(signal) }) {
        restoreAction(of: signal, &state)
      }
    }
  }

  /// Makes the pipe and the loop that reads it, once; they last as long as the process.
  private static func prepare() -> Bool {
    state.withLock { state in
      if state.loop != nil { return true }
      var ends: [Int32] = [-1, -1]
      guard Glibc.pipe(&ends) == 0 else { return false }
      for end in ends {
        _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        _ = fcntl(end, F_SETFL, O_NONBLOCK)
      }
      let reader = ends[0]
      guard let loop = try? EventLoop(name: "exit"), let source = try? loop.open(descriptor: reader)
      else {
        for end in ends { close(end) }
        return false
      }
      pipe.store(ends[1], ordering: .releasing)
      state.loop = loop
      Task { @concurrent in await watch(reader, loop, source) }
      return true
    }
  }

  private static func watch(
    _ descriptor: Int32,
    _ loop: EventLoop,
    _ source: EventLoop.SourceID
  ) async {
    while true {
      var number: UInt8 = 0
      if read(descriptor, &number, 1) == 1 {
        await end(by: Int32(number), on: loop)
      } else if case .ready = await loop.wait(for: [source]) {
        continue
      } else {
        return
      }
    }
  }

  /// Does what is to be done, and hands the signal on.
  private static func end(by signal: Int32, on loop: EventLoop) async {
    let bodies = state.withLock { state in
      state.duties.values.filter { $0.signals.contains(signal) }.map(\.body)
    }
    await withTaskGroup(of: Bool.self) { group in
      for body in bodies {
        group.addTask {
          await body()
          return true
        }
      }
      group.addTask {
        try? await loop.sleep(until: loop.deadline(after: patience))
        return false
      }
      var left = bodies.count
      while left > 0, await group.next() == true { left -= 1 }
      group.cancelAll()
    }
    state.withLock { restoreAction(of: signal, &$0) }
    kill(getpid(), signal)
  }

  private static func replaceAction(of signal: Int32) -> Action? {
    var action = sigaction()
    // Only what POSIX allows in a handler: write, and errno as it was.
    action.__sigaction_handler.sa_handler = { signal in
      let error = errno
      var number = UInt8(truncatingIfNeeded: signal)
      write(ExitSignals.pipe.load(ordering: .acquiring), &number, 1)
      errno = error
    }
    action.sa_flags = SA_RESTART
    sigemptyset(&action.sa_mask)
    var old = sigaction()
    return sigaction(signal, &action, &old) == 0 ? Action(value: old) : nil
  }

  private static func restoreAction(of signal: Int32, _ state: inout State) {
    guard var action = state.replaced.removeValue(forKey: signal)?.value else { return }
    sigaction(signal, &action, nil)
  }
}
