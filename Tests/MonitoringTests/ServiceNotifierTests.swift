// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc
import IBKR
import Recording
import Testing
import Transport

@testable import Monitoring

@Suite(.timeLimit(.minutes(5))) struct ServiceNotifierTests {
  /// A socket like the one that systemd listens on.
  private struct Manager: ~Copyable {
    let socket: FileDescriptor
    let name: String

    init() throws {
      name = "@ibkr-notify-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
      let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
      socket = try FileDescriptor(Glibc.socket(AF_UNIX, kind, 0), from: "socket")
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      let path = [0] + Array(name.utf8.dropFirst())
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
      let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
      let result = withUnsafePointer(to: address) { address in
        address.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket.raw, $0, length) }
      }
      #expect(result == 0)
    }

    /// What has been said so far.
    func heard() -> [String] {
      var words: [String] = []
      var buffer = [UInt8](repeating: 0, count: 4_096)
      while true {
        let count = recv(socket.raw, &buffer, buffer.count, 0)
        if count <= 0 { return words }
        words.append(String(decoding: buffer[..<count], as: UTF8.self))
      }
    }
  }

  @Test func withoutAManagerThereIsNobodyToTell() throws {
    #expect(try ServiceNotifier(environment: [:]) == nil)
    #expect(try ServiceNotifier(environment: ["NOTIFY_SOCKET": "relative"]) == nil)
    let long = "/" + String(repeating: "x", count: 200)
    #expect(try ServiceNotifier(environment: ["NOTIFY_SOCKET": long]) == nil)
  }

  @Test func wordsReachTheManager() throws {
    let manager = try Manager()
    let notifier = try #require(
      try ServiceNotifier(environment: ["NOTIFY_SOCKET": manager.name])
    )
    #expect(notifier.tell("READY=1", "STATUS=well"))
    #expect(manager.heard() == ["READY=1\nSTATUS=well"])
  }

  /// The watchdog of 30 s on virtual time: signs of life every 10 s, and none once data is missing
  /// for 30 s although everything is connected.
  @Test func signsOfLifeEndWithTheData() async throws {
    let manager = try Manager()
    let loop = try EventLoop(virtual: StreamWorld.start, advance: .onDemand)
    defer { loop.stop() }
    let monitor = StreamMonitor(loop: loop)
    let notifier = try #require(
      try ServiceNotifier(
        environment: ["NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "30000000"]
      )
    )
    func tell(_ event: OwnEvent) async throws {
      var builder = EventBatchBuilder()
      let now = loop.timestamp()
      builder.append(event, realtime: now.realtime, monotonic: now.monotonic)
      await monitor.write(try #require(builder.take()))
    }
    try await tell(.connection(.ready))
    let task = Task(executorPreference: loop) {
      await notifier.run(watching: monitor, recorder: { RecordingFigures() }, on: loop)
    }
    func signs(during duration: Duration) async throws -> Int {
      var signs = 0
      for _ in 0..<Int(duration.components.seconds) {
        await loop.advance(by: .seconds(1))
        signs += manager.heard().count { $0.contains("WATCHDOG=1") }
      }
      return signs
    }
    // Heartbeats come and no gap is declared: a market that is closed, for instance.
    var alive = 0
    for _ in 0..<6 {
      try await tell(.session(SessionState()))
      alive += try await signs(during: .seconds(10))
    }
    #expect(alive >= 6)
    let now = loop.timestamp()
    try await tell(
      .gap(
        Gap(
          id: 1,
          phase: .began,
          start: .init(realtime: now.realtime, monotonic: now.monotonic),
          reason: .silence,
          detectedBy: "a test",
          subscriptions: [StreamWorld.key(1)],
          seqFirst: 1
        )
      )
    )
    _ = try await signs(during: .seconds(31))
    try await tell(.session(SessionState()))
    #expect(try await signs(during: .seconds(60)) == 0)
    task.cancel()
    await task.value
    #expect(manager.heard().last == "STOPPING=1")
  }
}
