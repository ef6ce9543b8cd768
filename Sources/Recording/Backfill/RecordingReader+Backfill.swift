// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import Flow
import IBKR
import JSON

extension RecordingReader {
  /// What has become of the bars of each gap, for each of its instruments.
  ///
  /// - Parameter gaps: The gaps, of this recording.
  /// - Returns: The states, in the order of the gaps; combinations have no history, and are left out.
  /// - Throws: ``StorageError``, `.damaged` for what cannot be read.
  public func backfills(of gaps: [RecordedGap]) throws(StorageError) -> [RecordedBackfill] {
    try backfills(of: gaps, inDays: nil)
  }

  /// The same, from parts of some days.
  package func backfills(
    of gaps: [RecordedGap],
    inDays days: ClosedRange<UTCDate>?
  ) throws(StorageError) -> [RecordedBackfill] {
    let known = try Dictionary(instruments().map { ($0.conid, $0.symbol) }) { first, _ in first }
    var ends: [String: Int64?] = [:]
    var found: [RecordedBackfill] = []
    for gap in gaps {
      var end = gap.end
      if end == nil {
        // Nobody has seen its end: the run's is the beginning of another gap.
        if ends[gap.run] == nil { ends[gap.run] = try self.end(of: gap.run) }
        end = ends[gap.run] ?? nil
      }
      guard let end, end > gap.start else { continue }
      for (conid, symbol) in gap.instruments(known) {
        let exchange = symbol.firstIndex(of: "@").map { at in
          String(symbol[symbol.index(after: at)...].prefix { $0 != "#" })
        }
        found.append(
          RecordedBackfill(
            gapID: gap.id,
            symbol: symbol,
            conid: conid,
            exchange: exchange,
            range: gap.start..<end,
            state: gap.willBeFilled ? .pending : .none,
            rest: gap.start..<end
          )
        )
      }
    }
    return try bringUpToDate(found, inDays: days)
  }

  /// The gaps that were written on some days or later.
  package func gaps(
    inDays days: ClosedRange<UTCDate>
  ) throws(StorageError) -> [RecordedGap] {
    var found: [RecordedGap] = []
    for part in try parts(of: [.gap], inDays: days) {
      try forEachLine(of: part) { line in
        if let gap = RecordedGap(line) { found.append(gap) }
      }
    }
    return found
  }

  private func end(of run: String) throws(StorageError) -> Int64? {
    guard let run = RunID(run[...]) else { return nil }
    do throws(StorageError) {
      return try RunRecord.read(run, from: storage)?.end
    } catch  where error.code == .missing {
      return nil
    }
  }

  private struct Place: Hashable {
    let gap: String
    let target: String
  }

  private func bringUpToDate(
    _ backfills: [RecordedBackfill],
    inDays days: ClosedRange<UTCDate>?
  ) throws(StorageError) -> [RecordedBackfill] {
    guard !backfills.isEmpty else { return [] }
    // Of each run the last word; runs follow each other in the order of their names.
    var words: [Place: [(run: RunID, progress: BackfillProgress)]] = [:]
    for part in try parts(of: [.status], inDays: days) {
      try forEachLine(of: part) { line in
        guard let progress = BackfillProgress(statusLine: line),
          case .named(let gap) = progress.backfill.gap
        else { return }
        let place = Place(gap: gap, target: progress.backfill.target)
        words[place, default: []].removeAll { $0.run == part.run }
        words[place, default: []].append((part.run, progress))
      }
    }
    return backfills.map { backfill in
      let said = words[Place(gap: backfill.gapID, target: backfill.whole.target)] ?? []
      return backfill.told(said.sorted { $0.run.description < $1.run.description }.map(\.progress))
    }
  }
}

extension RecordedBackfill {
  /// The same after what runs have said of it, one after the other.
  fileprivate func told(_ said: [BackfillProgress]) -> RecordedBackfill {
    guard let last = said.last else { return self }
    var told = self
    // Where nothing was left to ask, whoever asked again asked for all of it, and has it twice.
    let final = said.dropLast().lastIndex { $0.rest == nil }
    told.bars = said[((final ?? -1) + 1)...].reduce(0) { $0 + $1.bars }
    told.rest = last.rest
    told.reason = last.reason
    told.state = State(rawValue: last.state.rawValue) ?? .pending
    let expected = whole.barCount
    if told.state == .done, told.bars < expected {
      // What is left was filled, but not all of what was asked for before.
      told.state = .partial
      told.reason = "there are \(told.bars) bars of \(expected)"
    } else if told.state == .unavailable, told.bars > 0 {
      told.state = .partial
    }
    return told
  }
}

extension RecordedGap {
  /// The instruments, each with the name of its records.
  ///
  /// - Parameter symbols: What is known of instruments.
  /// - Returns: An instrument once for each name that it has, as it may have one for each exchange.
  fileprivate func instruments(_ symbols: [Int: String]) -> [(conid: Int, symbol: String)] {
    conids.flatMap { conid -> [(conid: Int, symbol: String)] in
      let bases = [symbols[conid], "\(conid)"].compactMap(\.self)
      let all = self.symbols.filter { name in
        bases.contains { name == $0 || name.hasPrefix("\($0)@") || name.hasPrefix("\($0)#") }
      }
      // Of two instruments with one symbol the second has its conid behind the name.
      let marked = all.filter { $0.hasSuffix("#\(conid)") }
      let names = marked.isEmpty ? all.filter { !$0.contains("#") } : marked
      return (names.isEmpty ? [bases[0]] : names).map { (conid, $0) }
    }
  }
}

extension BackfillProgress {
  private static let kind = JSONKey("kind")

  /// Whether a line of `ch=status` tells of bars: nearly all are about something else.
  private static func isMeant(_ line: UnsafeRawBufferPointer) -> Bool {
    var scanner = JSONScanner(line)
    while let member = scanner.nextMember() {
      if member.key == kind {
        return scanner.bytes(member.content).elementsEqual("backfill".utf8)
      }
    }
    return false
  }

  /// Reads a line of `ch=status`; nothing comes of what tells of something else.
  init?(statusLine line: UnsafeRawBufferPointer) {
    guard Self.isMeant(line), let value = try? JSONValue(parsing: line),
      let target = value["target"], let state = value["state"],
      let text = value["fields"]?.string,
      let fields = (try? JSONValue(parsing: Array(text.utf8)))?.members
    else { return nil }
    let rest: [JSONValue.Member] = [
      .init(key: "target", value: target), .init(key: "state", value: state),
      .init(key: "reason", value: value["text"] ?? .null),
    ]
    self.init(.object(fields + rest))
  }
}
