// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import IBKR

@Suite struct MaintenanceCalendarTests {
  private static let second: Int64 = 1_000_000_000

  // Each by `date -u -d @…` and `TZ=… date -d @…`.
  @Test(
    arguments: [
      // Winter and summer.
      (1_795_475_700, .america, 1, 1_095), (1_777_606_200, .america, 4, 1_410),
      (1_795_475_700, .europe, 2, 15), (1_777_606_200, .europe, 5, 330),
      (1_795_475_700, .asia, 2, 435), (1_777_606_200, .asia, 5, 690),
      // The minutes before and after the clocks change, in 2026 and 2027.
      (1_772_953_140, .america, 0, 119), (1_772_953_200, .america, 0, 180),
      (1_793_512_740, .america, 0, 119), (1_793_512_800, .america, 0, 60),
      (1_774_745_940, .europe, 0, 119), (1_774_746_000, .europe, 0, 180),
      (1_792_889_940, .europe, 0, 179), (1_792_890_000, .europe, 0, 120),
      (1_805_007_540, .america, 0, 119), (1_805_007_600, .america, 0, 180),
    ] as [(Int64, SessionRegion, Int64, Int64)]
  )
  func `The clock on the wall`(
    seconds: Int64,
    region: SessionRegion,
    weekday: Int64,
    minute: Int64
  ) {
    let local = LocalTime(seconds * Self.second, in: region)
    #expect(local.weekday == weekday)
    #expect(local.minute == minute)
  }

  @Test(
    arguments: [
      // Thursday 2026-04-30 in New York: 22:59, 23:00, and the next morning 01:29, 01:30.
      (1_777_604_340, .america, nil), (1_777_604_400, .america, "nightly"),
      (1_777_613_340, .america, "nightly"), (1_777_613_400, .america, nil),
      // The same evening is 05:00 in Zug and 11:00 in Hong Kong.
      (1_777_604_400, .europe, nil), (1_777_604_400, .asia, nil),
      // Midnight there.
      (1_777_586_400, .europe, "nightly"), (1_777_564_800, .asia, "nightly"),
      // Friday 23:00 to Saturday 03:00 and Saturday evening in New York, for everybody.
      (1_777_690_800, .europe, "Friday"), (1_777_705_140, .asia, "Friday"),
      (1_777_705_200, .asia, nil), (1_777_759_200, .america, "Saturday"),
      (1_777_759_140, .america, nil),
    ] as [(Int64, SessionRegion, String?)]
  )
  func `The windows`(seconds: Int64, region: SessionRegion, name: String?) {
    let window = MaintenanceCalendar(region: region).window(at: seconds * Self.second)
    if let name {
      #expect(window?.contains(name) == true)
    } else {
      #expect(window == nil)
    }
  }
}
