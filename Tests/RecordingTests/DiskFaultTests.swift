// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc
import IBKR
import Testing
import Transport

@testable import Recording

/// A disk that fails for a while costs nothing: what has come is kept, and written when it works again.
@Suite(.timeLimit(.minutes(15)), .serialized) struct DiskFaultTests {
  let disk = DiskModel()
  let loop: EventLoop

  init() throws {
    let noon = Timestamp(realtime: 1_795_435_200_000_000_000, monotonic: 0, boot: 0)
    loop = try EventLoop(virtual: noon, advance: .onDemand)
  }

  private func sink() -> NDJSONFileSink {
    var configuration = NDJSONFileSink.Configuration(directory: "disk")
    configuration.rotation = Rotation(size: 3_000)
    return NDJSONFileSink(configuration, disk: loop) { [disk] () throws(StorageError) in disk }
  }

  @Test(arguments: [EIO, EROFS, ENOSPC], 0..<4)
  func anErrorAtAnyCallLosesNothing(_ number: Int32, _ call: Int) async throws {
    let sink = sink()
    try await sink.open()
    let begun = disk.calls
    // One call fails, then several in a row, for ten seconds of the writer's patience.
    let failing = begun + call * 5
    disk.plan { call, name, _ in
      // To look at a file that is open does not fail.
      guard name != "named", name != "free", name != "read" else { return nil }
      return (failing..<failing + 10).contains(call) ? .error(number) : nil
    }
    var source = EventSource()
    for _ in 0..<6 {
      for _ in 0..<10 { source.message("{}", topic: .unrecognised) }
      let batch = try source.take()
      let isTaken = Locked(false)
      async let taken: Void = {
        defer { isTaken.withLock { $0 = true } }
        try await sink.write(batch)
      }()
      while !isTaken.withLock({ $0 }) { await loop.advance(by: .milliseconds(500)) }
      try await taken
      await loop.advance(by: .seconds(1))
    }
    disk.plan(nil)
    await loop.advance(by: .seconds(30))
    try await sink.close()
    loop.stop()
    let report = try RecordingVerifier(storage: disk, deep: true).verify()
    #expect(report.findings == [])
    #expect(report.lines == 60)
  }

  @Test func aDirectoryThatIsGoneIsHopeless() async throws {
    let sink = sink()
    try await sink.open()
    disk.plan { _, _, _ in .error(ENOENT) }
    var source = EventSource()
    source.message("{}", topic: .unrecognised)
    let batch = try source.take()
    try await sink.write(batch)
    await loop.advance(by: .seconds(2))
    let error = await #expect(throws: StorageError.self) { try await sink.write(batch) }
    #expect(error?.code == .missing)
    loop.stop()
  }

  @Test func littleSpaceIsLeftFree() async throws {
    let sink = sink()
    try await sink.open()
    disk.limit(to: 64 << 20)
    var source = EventSource()
    source.message("{}", topic: .unrecognised)
    try await sink.write(try source.take())
    await loop.advance(by: .seconds(5))
    #expect(!disk.paths.contains { $0.hasPrefix("ch=raw") })
    disk.limit(to: 128 << 20)
    await loop.advance(by: .seconds(2))
    #expect(disk.paths.contains { $0.hasPrefix("ch=raw") })
    try await sink.close()
    loop.stop()
  }
}
