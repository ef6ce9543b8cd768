// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import IBKR
import JSON

/// Prints checks as they come: a line for each, in words or in JSON.
struct CheckList: Sendable {
  let json: Bool

  /// Prints a check on standard output.
  func print(_ check: Check) {
    Output.write((json ? Self.json(check).text : Self.line(check)) + "\n", to: STDOUT_FILENO)
  }

  /// The line for a person.
  static func line(_ check: Check) -> String {
    let mark =
      switch check.outcome {
      case .passed: "ok     "
      case .warning: "warning"
      case .failed: "FAILED "
      case .skipped: "-      "
      }
    return "\(mark)  \(check)"
  }

  /// The object for a program.
  static func json(_ check: Check) -> JSONValue {
    [
      "name": .string(check.name), "area": .string(check.area.rawValue),
      "outcome": .string(check.outcome.rawValue), "finding": .string(check.finding),
      "remedy": check.remedy.map { .string($0) } ?? .null,
    ]
  }

  /// Ends the command as its checks came out.
  ///
  /// - Parameter diagnosis: What was looked at.
  /// - Throws: ``ChecksFailed`` if one has failed.
  static func conclude(_ diagnosis: Diagnosis) throws {
    guard let first = diagnosis.failure else { return }
    let count = diagnosis.checks.count { $0.outcome == .failed }
    throw ChecksFailed(first: first, count: count)
  }
}

/// That not all is as it should be; each line has said what to do.
struct ChecksFailed: Error, Hashable, CustomStringConvertible {
  let first: Check
  let count: Int

  var description: String {
    count == 1
      ? "\(first.name) has to be put right" : "\(count) checks failed; begin with \(first.name)"
  }
}
