// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc
import Testing
import Transport

/// With signals that nobody else uses: the tests of a process share its handlers.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ExitSignalsTests {
  private static func handler(of signal: Int32) -> sighandler_t? {
    var action = sigaction()
    sigaction(signal, nil, &action)
    return action.__sigaction_handler.sa_handler
  }

  private static func address(_ handler: sighandler_t?) -> Int {
    handler.map { unsafeBitCast($0, to: Int.self) } ?? 0
  }

  @Test func dutiesAreDoneBeforeTheSignalIsHandedOn() async throws {
    signal(SIGUSR1, SIG_IGN)
    let (done, tell) = AsyncStream<Int>.makeStream(bufferingPolicy: .bufferingOldest(10))
    let first = try #require(ExitSignals.add(on: [SIGUSR1]) { tell.yield(1) })
    let second = try #require(ExitSignals.add(on: [SIGUSR1]) { tell.yield(1) })
    kill(getpid(), SIGUSR1)
    var count = 0
    for await number in done {
      count += number
      if count == 2 { break }
    }
    ExitSignals.remove(first)
    ExitSignals.remove(second)
    // What was ignored before is ignored again: the signal that was handed on ended nothing.
    #expect(Self.address(Self.handler(of: SIGUSR1)) == Self.address(SIG_IGN))
  }

  @Test func theLastDutyTakesTheHandlerWithIt() throws {
    signal(SIGUSR2, SIG_IGN)
    let first = try #require(ExitSignals.add(on: [SIGUSR2]) {})
    let second = try #require(ExitSignals.add(on: [SIGUSR2]) {})
    let ours = Self.address(Self.handler(of: SIGUSR2))
    #expect(ours != Self.address(SIG_IGN))
    ExitSignals.remove(first)
    #expect(Self.address(Self.handler(of: SIGUSR2)) == ours)
    ExitSignals.remove(second)
    #expect(Self.address(Self.handler(of: SIGUSR2)) == Self.address(SIG_IGN))
    // Twice does no harm.
    ExitSignals.remove(second)
  }
}
