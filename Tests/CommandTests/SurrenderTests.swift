// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import Testing

@testable import ibkr

@Suite struct SurrenderTests {
  private func watch(_ events: OwnEvent...) -> Surrender.Watch {
    var watch = Surrender.Watch()
    for event in events { watch.note(event) }
    return watch
  }

  private static func session(_ phase: SessionPhase) -> OwnEvent {
    var state = SessionState()
    state.phase = phase
    return .session(state)
  }

  private let lost = OwnEvent.connection(.lost(.disconnect, description: "reset", retryAfter: 1))

  @Test func aLostConnectionIsAnOutageUntilTheServerGreetsAgain() {
    #expect(!watch().isOutage)
    #expect(!watch(lost).isOutage)
    #expect(!watch(.connection(.ready)).isOutage)
    #expect(watch(.connection(.ready), lost).isOutage)
    #expect(watch(.connection(.ready), lost, .connection(.open)).isOutage)
    #expect(!watch(.connection(.ready), lost, .connection(.ready)).isOutage)
  }

  @Test(arguments: SessionPhase.allCases)
  func aSessionThatIsAwayIsAnOutageThough(_ phase: SessionPhase) {
    let isAway = [.loggedOut, .competing, .maintenance].contains(phase)
    #expect(watch(.connection(.ready), Self.session(phase)).isOutage == isAway)
    #expect(!watch(Self.session(phase)).isOutage)
    #expect(watch(Self.session(phase)).isTakenOver == (phase == .competing))
    #expect(!watch(.connection(.ready), Self.session(phase), Self.session(.ready)).isOutage)
  }

  @Test func eachHasItsExitCode() {
    #expect(ExitStatus(StreamGivenUp.outage(.seconds(60))).rawValue == 4)
    #expect(ExitStatus(StreamGivenUp.takeover).rawValue == 8)
    #expect(StreamGivenUp.outage(.seconds(60)).description.contains("--max-outage 60s"))
  }
}
