// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import IBKR
import Testing

@testable import Recording

@Suite(.timeLimit(.minutes(5))) struct DirectoryDiagnosisTests {
  private func checks(_ directory: String) -> [Check] {
    var diagnosis = Diagnosis()
    diagnosis.examineDirectory(directory)
    return diagnosis.checks
  }

  private func names(in directory: String) throws -> [String] {
    try POSIXStorage(directory: directory).list("")
  }

  @Test func `A directory that can be recorded into is called good, and left as it is`() throws {
    let folder = try TemporaryDirectory()
    for directory in [folder.path, "\(folder.path)/not/yet"] {
      let checks = checks(directory)
      #expect(checks.map(\.name) == ["directory", "disk-space", "lock"])
      #expect(checks[0].outcome == .passed)
      #expect(checks[0].finding.contains("created") == directory.hasSuffix("yet"))
      #expect(checks[2].outcome == .passed)
    }
    #expect(try names(in: folder.path) == [])
  }

  @Test(arguments: ["/dev/null", "/dev/null/data"])
  func `A file is no directory`(path: String) {
    let checks = checks(path)
    #expect(checks.first?.outcome == .failed)
    #expect(checks.first?.finding.contains("/dev/null is a file") == true)
    #expect(checks.first?.remedy?.contains("another directory with -o") == true)
    #expect(checks.dropFirst().allSatisfy { $0.outcome == .skipped })
  }

  @Test(arguments: ["/proc/self", "/sys/kernel/data"])
  func `What nobody can write to is found by trying`(path: String) {
    let check = checks(path).first
    #expect(check?.outcome == .failed)
    #expect(check?.area == .storage)
    #expect(check?.finding.contains("cannot write to /") == true)
    #expect(check?.remedy?.contains("choose another with -o") == true)
  }

  @Test func `Another recorder is named`() throws {
    let folder = try TemporaryDirectory()
    let storage = try POSIXStorage(directory: folder.path)
    let lock = try storage.lock()
    let check = checks(folder.path).last
    #expect(check?.name == "lock")
    #expect(check?.outcome == .failed)
    #expect(check?.finding.contains("process \(getpid())") == true)
    #expect(check?.remedy?.contains("stop the other one") == true)
    withExtendedLifetime(lock) {}
  }

  @Test func `A lock that was let go is none`() throws {
    let folder = try TemporaryDirectory()
    _ = try POSIXStorage(directory: folder.path).lock()
    #expect(checks(folder.path).last?.outcome == .passed)
  }

  @Test(
    arguments: [
      (10e6, nil, Check.Outcome.failed, "10 MB"), (500e6, nil, .warning, "0.5 GB"),
      (50e9, 20, .warning, "20 more files"), (50e9, nil, .passed, "50.0 GB"),
      (50e9, 100_000, .passed, "50.0 GB"),
    ] as [(Double, Int?, Check.Outcome, String)]
  )
  func `Space that runs out is told`(
    bytes: Double,
    files: Int?,
    outcome: Check.Outcome,
    says: String
  ) {
    let check = Diagnosis.space(bytes: bytes, files: files, at: "/data")
    #expect(check.outcome == outcome)
    #expect(check.finding.contains(says))
    #expect((check.remedy == nil) == (outcome == .passed))
  }
}
