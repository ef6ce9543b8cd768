// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import Monitoring

/// How a stream is getting on, for a line of the terminal.
struct LiveFigures: Hashable {
  /// How it is, in a word.
  var state = "STARTING"
  /// How good that is: green, yellow or red.
  var style = TextStyle.yellow
  /// Subscriptions that have data, and all.
  var (active, subscriptions) = (0, 0)
  /// Messages in a second.
  var rate = 0.0
  /// From the server's time of a quote to its arrival, in seconds; nil without quotes.
  var delay: Double?
  /// How often data was missing, and how long together, what is open now included.
  var (gaps, gapNanoseconds) = (0, Int64(0))
  /// Events that were replaced by newer ones before they could be shown.
  var skipped = 0
  /// Why it is not well, empty where the state says it all.
  var trouble = ""
}

/// Makes figures of what is counted: rates need two looks.
struct FigureTracker {
  private struct Look {
    let monotonic: Int64
    let messages: Int
    let (delays, seconds): (Int, Double)
  }

  /// The looks of the last seconds.
  private var looks: [Look] = []
  /// Over how many nanoseconds rates are taken.
  private static let window: Int64 = 5_000_000_000

  /// Looks.
  ///
  /// - Parameters:
  ///   - vitals: What is counted.
  ///   - now: The monotonic clock.
  /// - Returns: The figures as of now.
  mutating func figures(_ vitals: Vitals, at now: Int64) -> LiveFigures {
    var figures = LiveFigures()
    note(vitals, at: now, &figures)
    figures.subscriptions = vitals.subscriptions.count
    figures.active = vitals.subscriptions.values.count { state in
      switch state.value {
      case .active, .renewing: true
      case .pending, .requested, .stale, .failed, .ended: false
      }
    }
    figures.skipped = vitals.missed
    for outages in vitals.outages.values {
      figures.gaps += outages.count
      figures.gapNanoseconds += outages.nanoseconds
    }
    for gap in vitals.openGaps.values {
      figures.gaps += 1
      figures.gapNanoseconds += max(0, now - gap.start.monotonic)
    }
    Self.judge(vitals, at: now, &figures)
    return figures
  }

  private mutating func note(_ vitals: Vitals, at now: Int64, _ figures: inout LiveFigures) {
    let look = Look(
      monotonic: now,
      messages: vitals.received.values.reduce(0, +),
      delays: vitals.delay.count,
      seconds: vitals.delay.sum
    )
    looks.append(look)
    // One of before the window, to measure from.
    while looks.count > 2, now - looks[1].monotonic >= Self.window { looks.removeFirst() }
    guard let first = looks.first, now > first.monotonic else { return }
    figures.rate =
      Double(look.messages - first.messages) / (Double(now - first.monotonic) / 1e9)
    if look.delays > first.delays {
      figures.delay = (look.seconds - first.seconds) / Double(look.delays - first.delays)
    }
  }

  private static func judge(_ vitals: Vitals, at now: Int64, _ figures: inout LiveFigures) {
    let session = vitals.session?.value
    let refused = vitals.subscriptions.first { state in
      if case .failed = state.value.value { true } else { false }
    }
    if let phase = session?.phase, [.loggedOut, .competing, .maintenance].contains(phase) {
      figures.state = phase.rawValue.uppercased().replacing("_", with: " ")
      figures.style = .red
      figures.trouble = [session?.reason ?? "", session?.remedy ?? ""].filter { !$0.isEmpty }
        .joined(separator: "; to do: ")
    } else if let since = vitals.disconnected {
      figures.state = vitals.losses.isEmpty ? "CONNECTING" : "LOST \(FigureText.age(now - since))"
      figures.style = vitals.losses.isEmpty ? .yellow : .red
      figures.trouble = vitals.lastLoss
    } else if let gap = vitals.openGaps.values.min(by: { $0.id < $1.id }) {
      figures.state = "GAP \(FigureText.age(now - gap.start.monotonic))"
      figures.style = .red
      figures.trouble = "\(gap.reason.rawValue): \(gap.detectedBy)"
    } else if let refused, case .failed(let words) = refused.value.value {
      figures.state = "REFUSED"
      figures.style = .red
      let name = refused.key.conid.map { "conid \($0)" } ?? refused.key.topic.rawValue
      figures.trouble = "the server refuses \(name): \(words)"
    } else if figures.subscriptions == 0 {
      figures.state = "IDLE"
    } else if figures.active < figures.subscriptions {
      figures.state = "STARTING"
    } else {
      (figures.state, figures.style) = ("LIVE", .green)
    }
  }
}

extension LiveFigures {
  /// The beginning of a line: state, subscriptions, rate, delay.
  ///
  /// - Parameters:
  ///   - what: What comes: `rec`, `msg`.
  ///   - late: What the delay is called: `lag`, `delay`.
  ///   - terminal: What is shown.
  /// - Returns: The texts, each with its style, the most important first.
  func parts(of what: String, late: String, on terminal: Terminal) -> [(String, TextStyle)] {
    var parts: [(String, TextStyle)] = [
      ("\(terminal.hasBlocks ? "●" : "*") \(state)", style),
      ("\(active)/\(subscriptions) sub", active < subscriptions ? .yellow : .plain),
      ("\(FigureText.grouped(Int(rate.rounded()))) \(what)/s", .plain),
    ]
    if let delay { parts.append(("\(late) \(FigureText.delay(delay))", .plain)) }
    return parts
  }

  /// The gaps, nil if there are none.
  var gapPart: (String, TextStyle)? {
    gaps == 0 ? nil : ("gaps \(gaps) (\(FigureText.age(gapNanoseconds)))", .red)
  }
}
