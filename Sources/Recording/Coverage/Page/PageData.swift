// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// The numbers that the page's script draws, as JSON.
struct PageData {
  /// JSON in which no `<` stands, so that nothing in it ends the element around it.
  let json: String

  /// Writes the numbers.
  ///
  /// - Parameters:
  ///   - coverage: The recording.
  ///   - symbols: The instruments that have a line.
  init(_ coverage: RecordingCoverage, symbols: [SymbolCoverage]) {
    let width = max(1, coverage.bucketNanoseconds)
    let (first, last) = coverage.range.map { ($0.lowerBound, $0.upperBound) } ?? (0, 0)
    let start = first / width * width
    let reasons = GapReason.allCases.map(\.rawValue)
    let places = Dictionary(uniqueKeysWithValues: zip(reasons, reasons.indices))
    var text = LineBuffer()
    text.append("{\"start\":")
    text.append(start / 1_000_000)
    text.append(",\"width\":")
    text.append(width / 1_000_000)
    text.append(",\"count\":")
    text.append(coverage.range == nil ? 0 : (last - start) / width + 1)
    text.append(",\"reasons\":")
    text.append(strings: reasons)
    text.append(",\"runs\":[")
    for (index, run) in coverage.runs.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      text.append("[")
      text.append(Self.milliseconds(run.start, since: start))
      text.append(",")
      text.append(Self.milliseconds(run.end ?? run.start, since: start))
      text.append("]")
    }
    text.append("],\"symbols\":[")
    for (index, symbol) in symbols.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      let packed = PackedSymbol(symbol, start: start, width: width, reasons: places)
      text.append("{\"name\":")
      text.append(string: symbol.symbol)
      text.append(",\"places\":")
      text.append(Int64(packed.places))
      text.append(",\"buckets\":\"")
      text.append(contentsOf: packed.buckets)
      text.append("\",\"gaps\":\"")
      text.append(contentsOf: packed.gaps)
      text.append("\"}")
    }
    text.append("],\"latency\":[")
    for (index, bar) in coverage.latency.bars.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      text.append("[")
      text.append(bar.from)
      text.append(",")
      text.append(bar.to)
      text.append(",")
      text.append(Int64(bar.count))
      text.append("]")
    }
    text.append("],\"p50\":")
    text.append(orNull: coverage.latency.percentile(50))
    text.append(",\"p99\":")
    text.append(orNull: coverage.latency.percentile(99))
    text.append("}")
    json = text.withBytes { Self.harmless($0) }
  }

  private static func milliseconds(_ time: Int64, since start: Int64) -> Int64 {
    (TimeGrid.clamped(time) - start) / 1_000_000
  }

  /// Only strings have a `<`, and there it may be written otherwise.
  private static func harmless(_ json: UnsafeRawBufferPointer) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(json.count)
    for byte in json {
      if byte == UInt8(ascii: "<") { bytes += Array(#"\u003c"#.utf8) } else { bytes.append(byte) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
