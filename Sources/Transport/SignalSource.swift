// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import CLinux
import Glibc

/// Signals as values: they wait in a descriptor until a task asks for the next one.
///
/// Nothing runs in a signal handler, so nothing has to be safe there.
package final class SignalSource: Sendable {
  private let descriptor: FileDescriptor
  private let loop: EventLoop
  private let source: EventLoop.SourceID

  /// Keeps signals from ending the process and from interrupting it.
  ///
  /// Call it first thing in `main`: threads inherit the mask of the thread that made them, and a
  /// thread from before would still take the signal the old way.
  ///
  /// - Parameter signals: Their numbers.
  package static func block(_ signals: [Int32]) {
    var set = mask(signals)
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Starts to collect signals, which it blocks in the calling thread.
  ///
  /// - Parameters:
  ///   - signals: Their numbers.
  ///   - loop: A loop on the machine's clocks.
  /// - Throws: `TransportError` if the system gives no descriptor.
  package init(_ signals: [Int32], on loop: EventLoop) throws(TransportError) {
    Self.block(signals)
    var set = Self.mask(signals)
    let flags = Int32(SFD_NONBLOCK | SFD_CLOEXEC)
    descriptor = try FileDescriptor(signalfd(-1, &set, flags), from: "signalfd")
    self.loop = loop
    source = try loop.open(descriptor: descriptor.raw)
  }

  deinit { loop.close(source) }

  /// Waits for the next signal.
  ///
  /// The same signal sent several times before it is asked for counts as one, as ever with signals.
  ///
  /// - Returns: Its number.
  /// - Throws: `TransportError` with `cancelled` or `closed`.
  package func next() async throws(TransportError) -> Int32 {
    while true {
      var information = signalfd_siginfo()
      let size = MemoryLayout<signalfd_siginfo>.size
      if read(descriptor.raw, &information, size) == size {
        return Int32(bitPattern: information.ssi_signo)
      }
      switch await loop.wait(for: [source]) {
      case .ready, .timedOut: continue
      case .cancelled: throw .cancelled("waiting for a signal")
      case .closed: throw .closed("the event loop")
      }
    }
  }

  private static func mask(_ signals: [Int32]) -> sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal) }
    return set
  }
}
