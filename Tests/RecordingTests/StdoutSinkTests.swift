// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import IBKR
import Testing

@testable import Recording

@Suite(.timeLimit(.minutes(5))) struct StdoutSinkTests {
  /// A pipe whose ends are closed with it.
  final class Pipe {
    let reader: Int32
    private var writer: Int32

    init() {
      var ends: [Int32] = [-1, -1]
      _ = Glibc.pipe(&ends)
      (reader, writer) = (ends[0], ends[1])
    }

    var input: Int32 { writer }

    func closeReader() { close(reader) }

    /// Everything that was written; nothing can be written after it.
    func contents() -> String {
      close(writer)
      writer = -1
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 4_096)
      while true {
        let count = read(reader, &buffer, buffer.count)
        guard count > 0 else { break }
        bytes += buffer.prefix(count)
      }
      close(reader)
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  private func sink(_ pipe: Pipe, lines: Int? = nil) throws -> StdoutSink {
    var configuration = StdoutSink.Configuration()
    configuration.channels = [.raw]
    configuration.maximumLines = lines
    return try StdoutSink(configuration, descriptor: pipe.input)
  }

  private func messages(_ count: Int) throws -> EventBatch {
    var source = EventSource()
    for _ in 0..<count { source.message("{}", topic: .unrecognised) }
    return try source.take()
  }

  @Test func printsWholeLines() async throws {
    let pipe = Pipe()
    let sink = try sink(pipe)
    try await sink.write(messages(2))
    try await sink.write(messages(1))
    let lines = pipe.contents().split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 4)
    #expect(lines.dropLast().allSatisfy { $0.hasPrefix("{\"v\":1,") && $0.hasSuffix("}") })
    #expect(lines.last == "")
  }

  @Test func stopsAfterAsManyLinesAsAreWanted() async throws {
    let pipe = Pipe()
    let sink = try sink(pipe, lines: 3)
    try await sink.write(messages(2))
    await #expect(throws: StdoutSink.Finished.self) { try await sink.write(messages(5)) }
    await #expect(throws: StdoutSink.Finished.self) { try await sink.write(messages(5)) }
    #expect(pipe.contents().split(separator: "\n").count == 3)
  }

  @Test func aReaderThatLeavesIsNoFailure() async throws {
    let pipe = Pipe()
    let sink = try sink(pipe)
    pipe.closeReader()
    await #expect(throws: StdoutSink.Finished.self) { try await sink.write(messages(1)) }
    close(pipe.input)
  }

  @Test func countsWhatWasDropped() async throws {
    let pipe = Pipe()
    let sink = try sink(pipe)
    try await sink.write(.dropped(count: 3, range: 1...3))
    #expect(await sink.dropped == 3)
    #expect(pipe.contents() == "")
  }
}

@Suite struct MemorySinkTests {
  @Test func keepsSoMuchAndCountsTheRest() async throws {
    let sink = MemorySink(maximumEvents: 3)
    var source = EventSource()
    for _ in 0..<2 { source.message("{}", topic: .unrecognised) }
    let batch = try source.take()
    await sink.write(batch)
    await sink.write(batch)
    #expect(await sink.events.count == 3)
    #expect(await sink.overlooked == 1)
    await sink.close()
    #expect(await sink.isClosed)
  }
}
