// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import IBKR
import Logging
import Testing

@testable import ibkr

@Suite struct SessionLineTests {
  @Test func `One line says where it stands, why, and what to do`() throws {
    var state = SessionState()
    #expect(SessionLine(state) == nil)
    state.phase = .loggedOut
    state.reason = "nobody is logged in at the gateway"
    state.remedy = "log in at https://localhost:5000 in a browser"
    let line = try #require(SessionLine(state))
    #expect(
      line.text == "session: logged out: nobody is logged in at the gateway; to do: log in at "
        + "https://localhost:5000 in a browser"
    )
    #expect(line.level == .warning)
    #expect(!line.text.contains("\n"))
  }

  @Test(arguments: SessionPhase.allCases)
  func `What needs patience or a person is a warning`(_ phase: SessionPhase) {
    var state = SessionState()
    state.phase = phase
    let isTrouble = [.loggedOut, .degraded, .competing, .maintenance].contains(phase)
    #expect(SessionLine(state)?.level == (isTrouble ? .warning : .info))
  }

  @Test func `The same line is not printed again`() {
    var state = SessionState()
    state.phase = .ready
    var told: SessionLine?
    let lines = [state, state].compactMap { SessionLine($0) }
    let news = lines.map { told.replace(with: $0) }
    #expect(news == [true, false])
  }

  @Test(arguments: [("never", CompetePolicy.never), ("start", .start), ("always", .always)])
  func `The policy to compete is an option`(_ text: String, _ policy: CompetePolicy) throws {
    let options = try ConnectionOptions.parse(["--simulate", "--compete", text])
    #expect(try options.streamConfiguration().compete == policy)
    let none = try ConnectionOptions.parse(["--simulate", "--region", "europe"])
    #expect(try none.streamConfiguration().compete == nil)
    #expect(try none.streamConfiguration().region == .europe)
  }
}
