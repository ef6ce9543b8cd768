// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import JSON

extension RecordingCoverage {
  /// Adds the runs that have anything to do with an excerpt; one that has not told its end ends with
  /// its last row.
  mutating func addRuns(
    of reader: RecordingReader,
    _ excerpt: Excerpt,
    _ lastRows: [RunID: Int64]
  ) throws(StorageError) {
    for id in try reader.runs() {
      guard let record = try RunRecord.read(id, from: reader.storage) else { continue }
      let end = record.end ?? lastRows[id] ?? record.start
      guard excerpt.touches(record.start, end) else { continue }
      runs.append(
        Run(
          id: id.description,
          start: record.start,
          end: record.end ?? lastRows[id],
          state: record.ending.map { $0 == .well ? .ended : .crashed } ?? .unfinished
        )
      )
    }
  }

  /// Adds the gaps that have anything to do with an excerpt.
  mutating func addGaps(
    of reader: RecordingReader,
    _ excerpt: Excerpt
  ) throws(StorageError) {
    let bars = try Self.bars(of: reader)
    let ends = Dictionary(runs.map { ($0.id, $0.end) }, uniquingKeysWith: { first, _ in first })
    for gap in try reader.gaps() {
      // Nobody has seen the end of one that outlasted its run.
      let end = max(gap.start, gap.end ?? (ends[gap.run] ?? nil) ?? gap.start)
      guard excerpt.touches(gap.start, end),
        excerpt.conids.isEmpty || !excerpt.conids.isDisjoint(with: gap.conids)
      else { continue }
      gaps.append(Gap(recorded: gap, end: end, bars: bars[gap.id] ?? 0))
    }
  }

  /// How many bars fill each gap.
  private static func bars(
    of reader: RecordingReader
  ) throws(StorageError) -> [String: Int] {
    var found: [String: Int] = [:]
    let key = JSONKey("gap_id")
    for part in try reader.parts(of: [.bar]) {
      try reader.forEachLine(of: part) { line in
        var scanner = JSONScanner(line)
        while let member = scanner.nextMember() {
          guard member.key == key, member.kind == .string else { continue }
          found[String(decoding: scanner.bytes(member.content), as: UTF8.self), default: 0] += 1
        }
      }
    }
    return found
  }

  /// Tells each instrument its gaps; one that has nothing else is added.
  ///
  /// - Parameters:
  ///   - excerpt: What of the gaps counts.
  ///   - known: The instruments that the recorder has looked up.
  mutating func addMissing(to excerpt: Excerpt, known: [Instrument]) {
    let wanted = Set(known.filter { excerpt.conids.contains($0.conid) }.map(\.symbol))
    var places = Dictionary(uniqueKeysWithValues: zip(symbols.map(\.symbol), symbols.indices))
    var spans: [[MissingSpan]] = Array(repeating: [], count: symbols.count)
    for gap in gaps {
      let span = MissingSpan(
        start: TimeGrid.clamped(excerpt.nearest(to: gap.recorded.start)),
        end: TimeGrid.clamped(excerpt.nearest(to: gap.end)),
        reason: gap.recorded.reason
      )
      for symbol in gap.recorded.symbols {
        if places[symbol] == nil {
          guard excerpt.conids.isEmpty || wanted.contains(String(symbol.prefix { $0 != "@" }))
          else { continue }
          places[symbol] = symbols.count
          symbols.append(SymbolCoverage(symbol: symbol))
          spans.append([])
        }
        guard let place = places[symbol] else { continue }
        symbols[place].gaps += 1
        spans[place].append(span)
      }
    }
    for (place, spans) in spans.enumerated() {
      symbols[place].missing = MissingSpan.apart(spans)
    }
    symbols.sort { $0.symbol < $1.symbol }
  }
}

extension Excerpt {
  /// Whether any of a stretch of time belongs to it.
  fileprivate func touches(_ start: Int64, _ end: Int64) -> Bool {
    end >= from ?? .min && start < to ?? .max
  }
}
