// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@testable import IBKR

@Suite struct QuoteStateTests {
  private struct Seen: Equatable {
    var isSnapshot: Bool
    var flags: QuoteState.Flags
    var bid: String?
    var last: String?
  }

  private func apply(_ text: String, to state: inout QuoteState) throws -> Seen {
    let update = Array(text.utf8).withUnsafeBytes { state.apply($0) }
    let told = try #require(update)
    return Seen(
      isSnapshot: told.isSnapshot,
      flags: told.flags,
      bid: state[.bid]?.description,
      last: state[.last]?.description
    )
  }

  /// The burst of the protocol reference, section 4.9.
  @Test func mergesARecordedBurst() throws {
    var state = QuoteState()
    let messages = [
      #"{"6509":"DPB","topic":"smd+1","_updated":10,"6119":"q1","83":0.56,"server_id":"q1","84":"271.55","31":"271.67"}"#,
      #"{"server_id":"q1","_updated":10,"6119":"q1","84":"271.55","6509":"DPB","31":"271.67","83":0.56,"topic":"smd+1"}"#,
      #"{"server_id":"q1","_updated":20,"6119":"q1","84":"271.68","topic":"smd+1"}"#,
      #"{"server_id":"q1","_updated":30,"6119":"q1","31":"271.74","topic":"smd+1"}"#,
      #"{"server_id":"q2","_updated":40,"6119":"q2","31":"271.75","topic":"smd+1"}"#,
      #"{"server_id":"q2","_updated":50,"6119":"q2","84":"271.60","topic":"smd+1"}"#,
    ]
    let seen = try messages.map { try apply($0, to: &state) }
    #expect(
      seen == [
        Seen(isSnapshot: true, flags: .delayed, bid: "271.55", last: "271.67"),
        Seen(isSnapshot: true, flags: [.delayed, .duplicate], bid: "271.55", last: "271.67"),
        Seen(isSnapshot: false, flags: .delayed, bid: "271.68", last: "271.67"),
        Seen(isSnapshot: false, flags: .delayed, bid: "271.68", last: "271.74"),
        // A new request: nothing of the old one is left.
        Seen(isSnapshot: true, flags: [], bid: nil, last: "271.75"),
        Seen(isSnapshot: false, flags: [], bid: "271.60", last: "271.75"),
      ]
    )
  }

  @Test func theImageLastsUntilValuesHaveCome() throws {
    var state = QuoteState()
    let seen = try [
      #"{"6509":"ZB","topic":"smd+2","_updated":10,"server_id":"q16"}"#,
      #"{"server_id":"q16","_updated":20,"84":"4712.49","31":"C4735.10","topic":"smd+2"}"#,
      #"{"server_id":"q16","_updated":20,"31":"C4735.10","84":"4712.49","topic":"smd+2"}"#,
      #"{"server_id":"q16","_updated":30,"31":"4736.00","topic":"smd+2"}"#,
    ].map { try apply($0, to: &state) }
    #expect(seen.map(\.isSnapshot) == [true, true, true, false])
    #expect(seen[1].flags == [.frozen, .lastIsClose])
    #expect(seen[2].flags == [.frozen, .lastIsClose, .duplicate])
    #expect(seen[3] == Seen(isSnapshot: false, flags: .frozen, bid: "4712.49", last: "4736.00"))
  }

  /// A message that is overtaken still tells what nothing newer has told.
  @Test func whatIsLateDoesNotReplaceWhatIsNewer() throws {
    var state = QuoteState()
    let seen = try [
      #"{"topic":"smd+4","server_id":"q1","_updated":1000,"31":"5.0","84":"4.9"}"#,
      #"{"topic":"smd+4","server_id":"q1","_updated":3000,"31":"5.2"}"#,
      #"{"topic":"smd+4","server_id":"q1","_updated":2000,"31":"5.1","84":"5.0"}"#,
      #"{"topic":"smd+4","server_id":"q1","_updated":2500,"31":"5.1"}"#,
      #"{"topic":"smd+4","server_id":"q1","_updated":3000,"31":"5.3"}"#,
    ].map { try apply($0, to: &state) }
    #expect(seen.map(\.last) == ["5.0", "5.2", "5.2", "5.2", "5.3"])
    #expect(seen.map(\.bid) == ["4.9", "4.9", "5.0", "5.0", "5.0"])
    #expect(seen.map { $0.flags.contains(.late) } == [false, false, true, true, false])
  }

  /// A server whose clock was set back, or that says no time, is believed.
  @Test func aClockThatWasSetBackIsBelieved() throws {
    var state = QuoteState()
    let seen = try [
      #"{"topic":"smd+4","server_id":"q1","_updated":900000,"31":"5.0"}"#,
      #"{"topic":"smd+4","server_id":"q1","_updated":10000,"31":"5.1"}"#,
      #"{"topic":"smd+4","server_id":"q1","_updated":11000,"31":"5.2"}"#,
      #"{"topic":"smd+4","server_id":"q1","31":"5.3"}"#,
      #"{"topic":"smd+4","server_id":"q2","_updated":9000,"31":"5.4"}"#,
    ].map { try apply($0, to: &state) }
    #expect(seen.map(\.last) == ["5.0", "5.1", "5.2", "5.3", "5.4"])
    #expect(seen.allSatisfy { !$0.flags.contains(.late) })
  }

  @Test func noValueIsNotAnOldValue() throws {
    var state = QuoteState()
    _ = try apply(#"{"topic":"smd+3","31":"5.0","84":"4.9"}"#, to: &state)
    let seen = try apply(#"{"topic":"smd+3","31":"N/A"}"#, to: &state)
    #expect(seen.last == nil)
    #expect(seen.bid == "4.9")
  }

  @Test func aGapForgetsEverything() throws {
    var state = QuoteState()
    _ = try apply(
      #"{"topic":"smd+3","server_id":"q1","_updated":1,"31":"5.0","84":"4.9"}"#,
      to: &state
    )
    _ = try apply(#"{"topic":"smd+3","server_id":"q1","_updated":2,"31":"5.1"}"#, to: &state)
    state.clear()
    let seen = try apply(
      #"{"topic":"smd+3","server_id":"q1","_updated":3,"31":"5.2"}"#,
      to: &state
    )
    #expect(seen == Seen(isSnapshot: true, flags: [], bid: nil, last: "5.2"))
  }

  @Test func exactVolumeIsNotOverwrittenByARoundedOne() throws {
    var state = QuoteState()
    var others: [String] = []
    for text in [
      #"{"topic":"smd+4","87":"12.2M"}"#, #"{"topic":"smd+4","7762":"12198765"}"#,
      #"{"topic":"smd+4","87":"12.3M","7057":"QZ"}"#,
    ] {
      _ = Array(text.utf8).withUnsafeBytes { bytes in
        state.apply(bytes) { id, value, _ in
          others.append("\(id)=\(String(decoding: value, as: UTF8.self))")
        }
      }
    }
    #expect(state[.volume]?.description == "12198765")
    #expect(others == ["87=12.2M", "87=12.3M", "7057=QZ"])
  }

  @Test(arguments: [
    #"{"topic":"smd+1","error":"no"}"#, #"{"topic":"system","hb":1}"#, "{", "",
  ])
  func whatIsNoQuoteChangesNothing(_ text: String) {
    var state = QuoteState()
    let update = Array(text.utf8).withUnsafeBytes { state.apply($0) }
    #expect(update == nil)
  }
}
