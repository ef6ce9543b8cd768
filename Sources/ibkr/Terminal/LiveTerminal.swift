// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc
import Synchronization
import Transport

/// A terminal while something is drawn over its whole screen: keys come at once and unseen, and
/// everything is put back as it was, however the process ends.
final class LiveTerminal: Sendable {
  private struct State {
    /// How the terminal was set before; nil while it is its owner's.
    var saved: termios?
    /// What the terminal has not taken yet.
    var waiting: [UInt8] = []
    /// Whether the process is about to be stopped.
    var isSuspended = false
  }

  private let file: FileDescriptor
  private let state = Locked(State())

  /// The one whose screen it is now.
  private static let current = Locked<LiveTerminal?>(nil)

  /// Opens a terminal a second time: a description of our own, which never blocks while the one that
  /// we share with the shell stays as it is.
  ///
  /// - Parameter output: A descriptor of the terminal.
  /// - Throws: `TransportError` if the system does not allow it, as after `su`.
  init(_ output: Int32) throws(TransportError) {
    let flags = O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC
    file = try FileDescriptor(open("/proc/self/fd/\(output)", flags), from: "open the terminal")
  }

  deinit { leave() }

  /// The descriptor, for reading keys.
  var descriptor: Int32 { file.raw }

  /// Whether the shell has given the terminal to us.
  var isForeground: Bool { tcgetpgrp(file.raw) == getpgrp() }

  /// Whether the screen is ours.
  var isEntered: Bool { state.withLock { $0.saved != nil } }

  /// Takes the screen, if the terminal is ours to take.
  ///
  /// - Returns: Whether it has just been taken.
  func enter() -> Bool {
    guard isForeground else { return false }
    let isNew = state.withLock { state in
      var settings = termios()
      guard state.saved == nil, !state.isSuspended, tcgetattr(file.raw, &settings) == 0 else {
        return false
      }
      state.saved = settings
      Rescue.prepare(file.raw, settings)
      Self.take(file.raw, settings)
      state.waiting = Array(ScreenPainter.enter.utf8)
      return true
    }
    if isNew { Self.current.withLock { $0 = self } }
    return isNew
  }

  private static func take(_ terminal: Int32, _ settings: termios) {
    var settings = settings
    // Ctrl-C and Ctrl-Z stay signals. Ctrl-S shall not hold up the end of the process.
    settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
    settings.c_iflag &= ~tcflag_t(IXON)
    tcsetattr(terminal, TCSANOW, &settings)
  }

  /// Gives the screen back until ``resume()``: the process is about to be stopped.
  func suspend() {
    state.withLock { $0.isSuspended = true }
    leave()
  }

  /// The process goes on.
  ///
  /// If it was stopped without a word, the screen is still taken, and whoever
  /// had it since has left it as he likes.
  func resume() {
    state.withLock { state in
      state.isSuspended = false
      guard let saved = state.saved else { return }
      Self.take(file.raw, saved)
      state.waiting = Array(ScreenPainter.enter.utf8)
    }
  }

  /// Gives the screen back as it was, whether the terminal takes what is written or not.
  func leave() {
    state.withLock { state in
      guard var settings = state.saved else { return }
      state.saved = nil
      // A frame that is half there is not worth the rest of it.
      state.waiting = Array(ScreenPainter.leave.utf8)
      let deadline = EventLoop.realtime + 1_000_000_000
      while !Self.flush(&state.waiting, file.raw), EventLoop.realtime < deadline {
        // It takes nothing. What it has not shown yet is not worth showing any more, and makes room.
        tcflush(file.raw, TCOFLUSH)
        var wanted = pollfd(fd: file.raw, events: Int16(POLLOUT), revents: 0)
        poll(&wanted, 1, 100)
      }
      // What was typed at the screen is not meant for the shell.
      tcflush(file.raw, TCIFLUSH)
      tcsetattr(file.raw, TCSANOW, &settings)
      Rescue.end()
    }
  }

  /// Gives the screen back, whoever has it: for an end that nobody else tells of.
  static func restore() {
    current.withLock { $0 }?.leave()
  }

  /// Writes, unless the terminal still has to take what came before.
  ///
  /// - Parameter text: The text; empty to try again what waits.
  /// - Returns: Whether all of it is on its way; if not, nothing of `text` is.
  func write(_ text: String) -> Bool {
    state.withLock { state in
      guard state.saved != nil, Self.flush(&state.waiting, file.raw) else { return false }
      state.waiting = Array(text.utf8)
      _ = Self.flush(&state.waiting, file.raw)
      return true
    }
  }

  private static func flush(_ bytes: inout [UInt8], _ descriptor: Int32) -> Bool {
    while !bytes.isEmpty {
      let count = Glibc.write(descriptor, bytes, bytes.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      bytes.removeFirst(count)
    }
    return true
  }
}

/// Puts the terminal right when the process crashes.
///
/// A handler may use nothing that locks or allocates, so what it needs is laid out beforehand.
private enum Rescue {
  private static let descriptor = Atomic<Int32>(-1)
  // Written only while `descriptor` is -1, and read only while it is not: never both at once.
  nonisolated(unsafe) private static let settings = UnsafeMutablePointer<termios>.allocate(
    capacity: 1
  )
  nonisolated(unsafe) private static let farewell: UnsafeBufferPointer<UInt8> = {
    // For the whole life of the process.
    let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: ScreenPainter.leave.utf8.count)
    _ = bytes.initialize(from: ScreenPainter.leave.utf8)
    return UnsafeBufferPointer(bytes)
  }()
  private static let crashes = [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE]

  static func prepare(_ terminal: Int32, _ saved: termios) {
    settings.initialize(to: saved)
    _ = farewell
    descriptor.store(terminal, ordering: .releasing)
    for number in crashes {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { number in
        let terminal = Rescue.descriptor.load(ordering: .acquiring)
        if terminal >= 0 {
          _ = write(terminal, Rescue.farewell.baseAddress, Rescue.farewell.count)
          tcsetattr(terminal, TCSANOW, Rescue.settings)
        }
        // With the action reset, what has happened happens again, for good.
        raise(number)
      }
      action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_NODEFER
      sigaction(number, &action, nil)
    }
  }

  static func end() {
    descriptor.store(-1, ordering: .releasing)
  }
}
