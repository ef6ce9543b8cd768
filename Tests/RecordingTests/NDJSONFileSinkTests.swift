// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import Testing
import Transport

@testable import Recording

@Suite(.timeLimit(.minutes(5))) struct NDJSONFileSinkTests {
  let storage = MemoryStorage()
  let loop: EventLoop
  let notices = Notices()

  /// What a sink has said.
  final class Notices: Sendable {
    private let list = Locked<[NDJSONFileSink.Notice]>([])
    func add(_ notice: NDJSONFileSink.Notice) { list.withLock { $0.append(notice) } }
    var all: [NDJSONFileSink.Notice] { list.withLock { $0 } }
  }

  init() throws {
    let noon = Timestamp(realtime: 1_795_478_000_000_000_000, monotonic: 0, boot: 0)
    loop = try EventLoop(virtual: noon, advance: .onDemand)
  }

  private func sink(
    _ change: (inout NDJSONFileSink.Configuration) -> Void = { _ in }
  ) -> NDJSONFileSink {
    var configuration = NDJSONFileSink.Configuration(directory: "memory")
    change(&configuration)
    return NDJSONFileSink(configuration, disk: loop, notify: { [notices] in notices.add($0) }) {
      [storage] () throws(StorageError) in storage
    }
  }

  private func messages(_ count: Int, of text: String = "{}") throws -> EventBatch {
    var source = EventSource()
    for _ in 0..<count { source.message(text, topic: .unrecognised) }
    return try source.take()
  }

  private func operations(_ name: String) -> Int {
    storage.with { state in state.operations.count { $0.hasPrefix("\(name) ch=raw") } }
  }

  @Test func aLineIsWrittenAtOnceWhereTheDiskHasTime() async throws {
    let sink = sink()
    try await sink.write(messages(3))
    #expect(storage.lines(under: "ch=raw").count == 3)
    try await sink.write(messages(2))
    #expect(storage.lines(under: "ch=raw").count == 5)
    #expect(operations("write") == 2)
    // Within a second of the first event everything survives a power loss.
    await loop.advance(by: .milliseconds(799))
    #expect(operations("sync") == 0)
    await loop.advance(by: .milliseconds(1))
    #expect(operations("sync") == 1)
    await loop.advance(by: .seconds(10))
    #expect(operations("sync") == 1)
    loop.stop()
  }

  @Test func thePauseAfterAWriteIsInProportionAndNeverLong() {
    var pace = WritePace(longest: .milliseconds(50))
    #expect(pace.next <= 0)
    pace.wrote(from: 1_000, to: 21_000)
    #expect(pace.next == 21_000 + 320_000)
    pace.wrote(from: 0, to: 2_000_000_000)
    #expect(pace.next == 2_050_000_000)
    pace.wrote(from: 0, to: .max / 2)
    #expect(pace.next == .max / 2 + 50_000_000)
    pace.wrote(from: 5, to: 5)
    #expect(pace.next == 5)
  }

  @Test func whatComesDuringThePauseIsWrittenTogether() async throws {
    let sink = sink()
    try await sink.write(messages(1))
    storage.with { state in
      state.fault = { [loop] operation, _ in
        if operation == "write" { loop.spend(.milliseconds(1)) }
        return nil
      }
    }
    try await sink.write(messages(2))
    #expect(storage.lines(under: "ch=raw").count == 3)
    for _ in 0..<5 { try await sink.write(messages(2)) }
    await loop.advance(by: .milliseconds(15))
    #expect(storage.lines(under: "ch=raw").count == 3)
    await loop.advance(by: .milliseconds(1))
    #expect(storage.lines(under: "ch=raw").count == 13)
    #expect(operations("write") == 3)
    loop.stop()
  }

  /// What SIGHUP does.
  @Test func rotatingEndsEveryPartAndBeginsOthers() async throws {
    let sink = sink()
    var source = EventSource()
    source.message("{}", topic: .unrecognised)
    try await sink.write(try source.take())
    try await sink.rotate()
    await loop.advance(by: .seconds(1))
    #expect(storage.lines(under: "_manifest").count == 1)
    source.message("{}", topic: .unrecognised)
    try await sink.write(try source.take())
    let parts = storage.paths.filter { $0.hasPrefix("ch=raw") }.compactMap { PartName($0) }
    #expect(parts.map(\.number).sorted() == [1, 2])
    #expect(parts.map { $0.state == .compressed } == parts.map { $0.number == 1 })
    try await sink.close()
    #expect(storage.lines(under: "_manifest").count == 2)
    loop.stop()
  }

  @Test func manyLinesDoNotWait() async throws {
    let sink = sink { $0.writeSize = 1_000 }
    try await sink.write(messages(20))
    #expect(storage.lines(under: "ch=raw").count == 20)
    loop.stop()
  }

  @Test(arguments: [
    (NDJSONFileSink.Configuration.Synchronization.never, 0), (.everySecond, 1), (.batch, 3),
  ])
  func syncsAsItIsTold(
    _ synchronization: NDJSONFileSink.Configuration.Synchronization,
    _ expected: Int
  ) async throws {
    let sink = sink { $0.synchronization = synchronization }
    for _ in 0..<3 {
      try await sink.write(messages(1))
      await loop.advance(by: .milliseconds(300))
    }
    await loop.advance(by: .milliseconds(600))
    #expect(operations("sync") == expected)
    try await sink.write(messages(1))
    try await sink.flush()
    #expect(storage.lines(under: "ch=raw").count == 4)
    #expect(operations("sync") > expected)
    loop.stop()
  }

  @Test func aFullDiskLosesNothingAndIsToldOnce() async throws {
    let sink = sink { $0.writeSize = 1 }
    try await sink.write(messages(1))
    storage.with { $0.capacity = 0 }
    let batch = try messages(4)
    async let waiting: Void = sink.write(batch)
    while notices.all.isEmpty { await loop.advance(by: .milliseconds(100)) }
    await loop.advance(by: .seconds(20))
    #expect(storage.lines(under: "ch=raw").count == 1)
    storage.with { $0.capacity = .max }
    await loop.advance(by: .seconds(1))
    try await waiting
    #expect(storage.lines(under: "ch=raw").count == 5)
    let all = notices.all
    #expect(all.count == 2)
    guard case .failed(let error) = all.first else { throw error }
    #expect(error.code == .full)
    #expect(all.last == .recovered)
    try await sink.close()
    loop.stop()
  }

  private var error: StorageError { StorageError("expect", "a notice", reason: "there is none") }

  @Test func aClosedSinkIsSealedAndTakesNoMore() async throws {
    let sink = sink()
    let batch = try messages(3)
    try await sink.learn([Instrument(conid: 1, symbol: "AAPL", exchange: "NASDAQ")])
    try await sink.write(batch)
    try await sink.close()
    #expect(storage.lines(under: "_manifest").count == 1)
    #expect(storage.lines(under: "_manifest").first?.contains("\"lines\":3") == true)
    #expect(
      storage.lines(under: "instruments").first?.contains(#""conid":1,"symbol":"AAPL","#) == true
    )
    #expect(storage.lines(under: "runs").first?.contains("\"seq_last\":3") == true)
    await #expect(throws: StorageError.self) { try await sink.write(batch) }
    try await sink.close()
    #expect(storage.lines(under: "ch=raw").count == 3)
    loop.stop()
  }

  @Test func aDiskThatStaysFullIsToldAtTheEnd() async throws {
    let sink = sink()
    try await sink.write(messages(1))
    storage.with { $0.capacity = 0 }
    await #expect(throws: StorageError.self) { try await sink.close() }
    storage.with { $0.capacity = .max }
    try await sink.close()
    #expect(storage.lines(under: "_manifest").count == 1)
    loop.stop()
  }

  @Test func aDirectoryHasOneRecorderAtATime() async throws {
    let directory = try TemporaryDirectory()
    let first = try NDJSONFileSink(.init(directory: directory.path))
    var configuration = NDJSONFileSink.Configuration(directory: directory.path)
    configuration.codec = nil
    let second = try NDJSONFileSink(configuration)
    try await first.open()
    let error = await #expect(throws: StorageError.self) { try await second.open() }
    #expect(error?.code == .inUse)
    try await first.close()
    try await second.open()
    try await second.write(messages(2))
    try await second.close()
    let manifest = try #require(directory.contents("_manifest.ndjson"))
    let path = try #require(manifest.split(separator: "\"").first { $0.hasPrefix("ch=raw") })
    #expect(directory.contents(String(path))?.split(separator: "\n").count == 2)
  }
}
