// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

extension RecordingCoverage {
  /// The coverage as lines of JSON.
  ///
  /// There is one for the whole recording, one for each instrument, and one for each of its buckets
  /// that has messages or lies in a gap. The member `kind` says which it is.
  ///
  /// - Parameter body: Called with some lines at a time.
  public func forEachJSON(_ body: (String) -> Void) {
    var text = LineBuffer()
    appendTotal(to: &text)
    for symbol in symbols {
      append(symbol, to: &text)
      for bucket in symbol.timeline(every: bucketNanoseconds) {
        append(bucket, of: symbol, to: &text)
      }
      body(text.withBytes { String(decoding: $0, as: UTF8.self) })
      text.removeAll()
    }
    if symbols.isEmpty { body(text.withBytes { String(decoding: $0, as: UTF8.self) }) }
  }

  private func appendTotal(to text: inout LineBuffer) {
    text.append("{\"kind\":\"recording\",\"ts_first\":")
    text.append(orNull: range?.lowerBound)
    text.append(",\"ts_last\":")
    text.append(orNull: range?.upperBound)
    text.append(",\"bucket_seconds\":")
    text.append(bucketNanoseconds / 1_000_000_000)
    text.append(",\"runs\":")
    text.append(Int64(runs.count))
    text.append(",\"symbols\":")
    text.append(Int64(symbols.count))
    text.append(",\"messages\":")
    text.append(Int64(messages))
    text.append(",\"gaps\":")
    text.append(Int64(gaps.count))
    text.append(",\"missing_ns\":")
    text.append(missingNanoseconds)
    append(latency, to: &text)
  }

  private func append(_ symbol: SymbolCoverage, to text: inout LineBuffer) {
    text.append("{\"kind\":\"symbol\",\"symbol\":")
    text.append(string: symbol.symbol)
    text.append(",\"messages\":")
    text.append(Int64(symbol.messages))
    text.append(",\"images\":")
    text.append(Int64(symbol.images))
    text.append(",\"ts_recv_first\":")
    text.append(orNull: symbol.received?.lowerBound)
    text.append(",\"ts_recv_last\":")
    text.append(orNull: symbol.received?.upperBound)
    text.append(",\"gaps\":")
    text.append(Int64(symbol.gaps))
    text.append(",\"missing_ns\":")
    text.append(symbol.missingNanoseconds)
    append(symbol.prices.map { CoveragePrices(low: $0.low, high: $0.high, last: $0.last) }, &text)
    append(symbol.latency, to: &text)
  }

  private func append(
    _ bucket: TimelineBucket,
    of symbol: SymbolCoverage,
    to text: inout LineBuffer
  ) {
    text.append("{\"kind\":\"bucket\",\"symbol\":")
    text.append(string: symbol.symbol)
    text.append(",\"ts\":")
    text.append(bucket.start)
    text.append(",\"seconds\":")
    text.append(bucketNanoseconds / 1_000_000_000)
    text.append(",\"messages\":")
    text.append(Int64(bucket.bucket?.messages ?? 0))
    append(bucket.bucket?.prices, &text)
    text.append(",\"missing_ns\":")
    text.append(bucket.missingNanoseconds)
    text.append(",\"reasons\":")
    text.append(strings: bucket.reasons.map(\.rawValue))
    text.append("}\n")
  }

  private func append(_ prices: CoveragePrices?, _ text: inout LineBuffer) {
    text.append(",\"low\":")
    text.append(orNull: prices?.low)
    text.append(",\"high\":")
    text.append(orNull: prices?.high)
    text.append(",\"last\":")
    text.append(orNull: prices?.last)
  }

  private func append(_ latency: LatencyHistogram, to text: inout LineBuffer) {
    text.append(",\"latency\":{\"count\":")
    text.append(Int64(latency.count))
    text.append(",\"early\":")
    text.append(Int64(latency.early))
    text.append(",\"p50_ns\":")
    text.append(orNull: latency.percentile(50))
    text.append(",\"p99_ns\":")
    text.append(orNull: latency.percentile(99))
    text.append(",\"max_ns\":")
    text.append(orNull: latency.max)
    text.append("}}\n")
  }
}
