// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import JSON

extension Scenario {
  /// Reads a scenario from a text with one JSON object per line.
  ///
  /// ```
  /// # What stands behind a number sign is not read, nor are empty lines.
  /// {"after":"30s","fault":"gone","for":"20s"}
  /// {"after":"2m","fault":"too-many-requests","for":"1m","retry_after":"30s"}
  /// {"after":"5m","fault":"drop-connections","every":"20s","times":10}
  /// ```
  ///
  /// `after` counts from the start of the simulator. `fault` is one of `Fault.names`; `what` and `how`
  /// are those of `Oddity`, `Distortion`, `Breach` and `HistoryTrouble`. Most faults last `for` a while. A fault with `every` happens so many `times`.
  ///
  /// - Parameters:
  ///   - name: The file's name, for messages.
  ///   - lines: The text.
  /// - Throws: `GatewaySimulatorError` with `scenario`, naming the line and what is wrong with it.
  public init(name: String, lines: String) throws(GatewaySimulatorError) {
    var events: [Event] = []
    var number = 0
    for line in lines.split(separator: "\n", omittingEmptySubsequences: false) {
      number += 1
      let text = line.drop { $0.isWhitespace }
      if text.isEmpty || text.hasPrefix("#") { continue }
      do throws(ScenarioComplaint) {
        events += try ScenarioLine(String(text)).events()
        guard events.count <= 10_000 else {
          throw ScenarioComplaint("more than 10000 faults are too many")
        }
      } catch {
        throw GatewaySimulatorError(.scenario, "\(name):\(number): \(error.reason)")
      }
    }
    self.init(name: name, events: events)
  }
}

/// What is wrong with a line.
struct ScenarioComplaint: Error, Hashable {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}

/// One line of a scenario's file.
struct ScenarioLine {
  private let members: [String: JSONValue]

  init(_ text: String) throws(ScenarioComplaint) {
    guard let members = (try? JSONValue(parsing: Array(text.utf8)))?.members else {
      throw ScenarioComplaint(
        #"not a JSON object: write {"after":"30s","fault":"gone","for":"20s"}"#
      )
    }
    let known = [
      "after", "fault", "for", "every", "times", "retry_after", "code", "announced", "conid",
      "deaf", "how", "what", "messages",
    ]
    var named: [String: JSONValue] = [:]
    for member in members {
      guard known.contains(member.key) else {
        let choice = known.joined(separator: ", ")
        throw ScenarioComplaint("there is no member '\(member.key)': choose of \(choice)")
      }
      guard named.updateValue(member.value, forKey: member.key) == nil else {
        throw ScenarioComplaint("'\(member.key)' stands twice")
      }
    }
    self.members = named
  }

  /// The faults of the line, each at its time.
  func events() throws(ScenarioComplaint) -> [Scenario.Event] {
    guard let name = members["fault"]?.string else {
      throw ScenarioComplaint("'fault' is missing: what goes wrong, in quotation marks")
    }
    guard let after = try duration("after") else {
      throw ScenarioComplaint("'after' is missing: when '\(name)' happens, as \"after\":\"30s\"")
    }
    let fault = try Fault(named: name, self)
    guard let every = try duration("every") else {
      guard members["times"] == nil else {
        throw ScenarioComplaint("'times' needs 'every'")
      }
      return [Scenario.Event(fault, after: after)]
    }
    guard let times = members["times"]?.int, (1...10_000).contains(times) else {
      throw ScenarioComplaint("'every' needs 'times', a number from 1 to 10000")
    }
    return (0..<times).map { Scenario.Event(fault, after: after + every * $0) }
  }

  /// How long a fault lasts.
  func length(of fault: String) throws(ScenarioComplaint) -> Duration {
    guard let length = try duration("for") else {
      throw ScenarioComplaint("'for' is missing: how long '\(fault)' lasts, as \"for\":\"20s\"")
    }
    return length
  }

  /// A duration, if it is there.
  func duration(_ name: String) throws(ScenarioComplaint) -> Duration? {
    guard let value = members[name] else { return nil }
    guard let duration = value.string.flatMap({ Duration(text: $0) }) else {
      throw ScenarioComplaint("'\(name)' is no duration: write it as \"500ms\", \"30s\" or \"5m\"")
    }
    return duration
  }

  /// A flag, if it is there.
  func flag(_ name: String) throws(ScenarioComplaint) -> Bool? {
    guard let value = members[name] else { return nil }
    guard let flag = value.bool else {
      throw ScenarioComplaint("'\(name)' is true or false")
    }
    return flag
  }

  /// A number that has to be there.
  func number(_ name: String, _ range: ClosedRange<Int>) throws(ScenarioComplaint) -> Int {
    guard let number = members[name]?.int, range.contains(number) else {
      throw ScenarioComplaint(
        "'\(name)' is a number from \(range.lowerBound) to \(range.upperBound)"
      )
    }
    return number
  }

  /// One of some names, which has to be there.
  func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ name: String
  ) throws(ScenarioComplaint) -> Choice {
    guard let choice = members[name]?.string.flatMap({ Choice(rawValue: $0) }) else {
      let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw ScenarioComplaint("'\(name)' is one of \(names)")
    }
    return choice
  }

  /// The code of a close frame; 1000 if there is none.
  func closeCode() throws(ScenarioComplaint) -> UInt16 {
    guard let value = members["code"] else { return 1000 }
    guard let code = value.int, (1000...4999).contains(code) else {
      throw ScenarioComplaint("'code' is a number from 1000 to 4999")
    }
    return UInt16(code)
  }

  /// Refuses members that a fault has no use for.
  func allows(_ names: Set<String>, for fault: String) throws(ScenarioComplaint) {
    let always: Set = ["after", "fault", "every", "times"]
    guard let other = members.keys.sorted().first(where: { !(always.union(names)).contains($0) })
    else { return }
    throw ScenarioComplaint("'\(fault)' takes no '\(other)'")
  }
}
