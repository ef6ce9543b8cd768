// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Draws what a recorder has said.
struct TopFrame {
  /// The first subscription that is shown.
  var top = 0

  /// The screen.
  ///
  /// - Parameters:
  ///   - status: What it said last.
  ///   - before: What it said some time before, for rates; nil for the first time.
  ///   - place: Where it is.
  ///   - failure: Why it said nothing since, empty if it did.
  ///   - terminal: Its size, and what it shows.
  /// - Returns: The lines.
  mutating func lines(
    _ status: RecorderStatus,
    since before: RecorderStatus?,
    from place: String,
    failure: String,
    on terminal: Terminal
  ) -> [StyledLine] {
    var lines = Self.summary(status, since: before, on: terminal)
    lines.append(StyledLine())
    let (head, rows) = Self.table(status, since: before)
    lines.append(StyledLine(head, .dim))
    let room = max(1, terminal.height - lines.count - 2)
    let isCut = rows.count > room
    top = isCut ? min(max(0, top), rows.count - room + 1) : 0
    let visible = rows[top..<min(rows.count, top + (isCut ? room - 1 : room))]
    lines += visible
    if isCut {
      let above = top > 0 ? "\(top) above, " : ""
      let dots = terminal.hasBlocks ? "…" : "..."
      lines.append(StyledLine("\(dots) \(above)\(rows.count - visible.endIndex) more", .dim))
    }
    while lines.count < terminal.height - 2 { lines.append(StyledLine()) }
    lines.append(StyledLine(Terminal.harmless(failure), .red))
    lines.append(
      StatusText.line(
        [("\(place)", .dim), ("ibkr \(status.version)", .dim)],
        right: isCut
          ? (terminal.hasBlocks ? "↑↓ scroll  q quit" : "arrows scroll  q quit") : "q quit",
        on: terminal
      )
    )
    return lines
  }

  /// The same for a pipe, whole.
  static func plain(_ status: RecorderStatus, since before: RecorderStatus?) -> String {
    let terminal = Terminal(width: 10_000)
    let (head, rows) = table(status, since: before)
    let lines =
      summary(status, since: before, on: terminal) + [StyledLine(), StyledLine(head)] + rows
    return lines.map { $0.text(on: terminal, cells: terminal.width) + "\n" }.joined()
  }

  private static func summary(
    _ status: RecorderStatus,
    since before: RecorderStatus?,
    on terminal: Terminal
  ) -> [StyledLine] {
    let active = status.subscriptions.count { ["active", "renewing"].contains($0.state) }
    let mark = terminal.hasBlocks ? "●" : "*"
    var first: [(String, TextStyle)] = [
      (
        "\(mark) \(status.isHealthy ? "HEALTHY" : "TROUBLE")",
        status.isHealthy ? .green : .red
      ),
      ("up \(FigureText.age(Int64(status.uptime * 1e9)))", .plain),
      ("session \(status.session)", status.session == "ready" ? .plain : .yellow),
      (
        "\(active)/\(status.subscriptions.count) sub",
        active == status.subscriptions.count ? .plain : .yellow
      ),
    ]
    if !status.isConnected { first.insert(("not connected", .red), at: 1) }
    if let before, let rate = rate(status.messages, before.messages, status, before) {
      first.append(("\(FigureText.rounded(rate)) msg/s", .plain))
    }
    if let delay = status.delay { first.append(("delay below \(FigureText.delay(delay))", .plain)) }
    var lines = [StatusText.line(first, on: terminal)]
    lines.append(StatusText.line(disk(status, since: before), on: terminal))
    for gap in status.openGaps {
      lines.append(
        StyledLine(
          "gap  \(gap.reason) for \(FigureText.age(Int64(gap.lasting * 1e9))), "
            + "\(gap.instruments) instruments: \(gap.detectedBy)",
          .red
        )
      )
    }
    let closed = status.closedGaps.map {
      "\($0.count) \($0.reason) (\(FigureText.age(Int64($0.seconds * 1e9))))"
    }
    lines.append(
      StyledLine(
        closed.isEmpty
          ? "gaps  none that is over" : "gaps  over: " + closed.joined(separator: ", "),
        closed.isEmpty ? .dim : .yellow
      )
    )
    for trouble in status.troubles { lines.append(StyledLine("! \(trouble)", .red)) }
    return lines
  }

  private static func disk(
    _ status: RecorderStatus,
    since before: RecorderStatus?
  ) -> [(String, TextStyle)] {
    var parts: [(String, TextStyle)] = []
    if let failure = status.failure { parts.append(("not written: \(failure)", .red)) }
    if let bytes = status.bytes {
      parts.append(("written \(FigureText.bytes(bytes))", .plain))
      if let before, let old = before.bytes, status.moment > before.moment {
        let rate = (bytes - old) / (Double(status.moment - before.moment) / 1e9)
        parts.append(("\(FigureText.bytes(rate * 60))/min", .plain))
      }
    }
    if let lines = status.lines { parts.append(("\(FigureText.grouped(lines)) lines", .plain)) }
    if let waiting = status.waitingBytes, waiting > 0 {
      parts.append(("\(FigureText.bytes(waiting)) waiting", .plain))
    }
    if let free = status.freeBytes { parts.append(("disk \(FigureText.bytes(free)) free", .plain)) }
    if let memory = status.residentBytes {
      parts.append(("memory \(FigureText.bytes(memory))", .plain))
    }
    return parts
  }

  private static func rate(
    _ new: Int,
    _ old: Int,
    _ status: RecorderStatus,
    _ before: RecorderStatus
  ) -> Double? {
    guard status.moment > before.moment, new >= old else { return nil }
    return Double(new - old) / (Double(status.moment - before.moment) / 1e9)
  }

  private static func table(
    _ status: RecorderStatus,
    since before: RecorderStatus?
  ) -> (head: String, rows: [StyledLine]) {
    let old = Dictionary(
      (before?.subscriptions ?? []).map { ($0.name, $0.messages) },
      uniquingKeysWith: { first, _ in first }
    )
    var table = TextTable([
      ("SUBSCRIPTION", .left), ("STATE", .left), ("FOR", .right), ("MESSAGES", .right),
      ("PER S", .right), ("AGE", .right),
    ])
    for entry in status.subscriptions {
      let rate = before.flatMap { before in
        old[entry.name].flatMap { Self.rate(entry.messages, $0, status, before) }
      }
      table.append([
        entry.name, entry.state, FigureText.age(Int64(entry.since * 1e9)),
        FigureText.grouped(entry.messages), rate.map { FigureText.rounded($0) } ?? "-",
        entry.quiet.map { FigureText.age(Int64($0 * 1e9)) } ?? "-",
      ])
    }
    let lines = table.text.split(separator: "\n").map(String.init)
    let rows = zip(lines.dropFirst(), status.subscriptions).map { line, entry in
      let style: TextStyle =
        switch entry.state {
        case "active", "renewing": .plain
        case "failed": .red
        default: .yellow
        }
      return StyledLine(line, style)
    }
    return (lines.first ?? "", rows)
  }
}
