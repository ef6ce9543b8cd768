// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// What stands in the page, but for the numbers of its charts.
struct PageParts {
  let coverage: RecordingCoverage
  /// The instruments that have a line.
  let symbols: [SymbolCoverage]
  /// What the recording is called.
  let name: String

  /// All of it.
  var body: String {
    """
    <a class="skip" href="#gaps">Skip to the gaps</a>
    \(head)
    <main>
    \(instruments)
    \(latency)
    \(gaps)
    \(runs)
    </main>
    \(foot)
    <div id="cross" hidden></div>
    <div id="tip" role="presentation" hidden></div>
    """
  }

  // MARK: - Head

  private var head: String {
    """
    <header>
    <p class="eyebrow">Recording coverage</p>
    <h1><bdi>\(PageText.escaped(name))</bdi></h1>
    \(period)
    <p class="verdict">\(verdict)</p>
    <dl class="figures">
    \(figure("Messages", "messages", Int64(coverage.messages)))
    \(figure("Instruments", "symbols", Int64(coverage.symbols.count)))
    \(figure("Runs", "runs", Int64(coverage.runs.count)))
    \(figure("Gaps", "gaps", Int64(coverage.gaps.count), isBad: !coverage.gaps.isEmpty))
    \(figure("Latency, half below", "p50", coverage.latency.percentile(50), PageText.latency))
    \(figure("Latency, 99 % below", "p99", coverage.latency.percentile(99), PageText.latency))
    </dl>
    </header>
    """
  }

  private var period: String {
    guard let range = coverage.range else { return "" }
    let (first, last) = (range.lowerBound, range.upperBound)
    return """
      <p class="period"><time id="first" datetime="\(PageText.machine(first))">\
      \(PageText.moment(first))</time> to <time id="last" datetime="\(PageText.machine(last))">\
      \(PageText.moment(last))</time> <abbr title="Coordinated Universal Time">UTC</abbr>\
      <span class="length">\(PageText.span(last - first))</span></p>
      """
  }

  private var verdict: String {
    guard let share = coverage.share else { return "There is nothing to show." }
    let missing = coverage.missingNanoseconds
    if missing == 0, coverage.gaps.isEmpty {
      return "<strong id=\"share\">100 %</strong> covered: nothing is known to be missing."
    }
    return """
      <strong id="share">\(PageText.percent(share))</strong> covered; \
      <span class="bad" id="missing" data-value="\(missing)">\(PageText.span(missing))</span> of \
      instrument time may lack data.
      """
  }

  private func figure(
    _ title: String,
    _ id: String,
    _ value: Int64?,
    _ text: (Int64) -> String = PageText.grouped,
    isBad: Bool = false
  ) -> String {
    let number = value.map { "<dd id=\"\(id)\" data-value=\"\($0)\">\(text($0))</dd>" }
    return "<div\(isBad ? " class=\"bad\"" : "")><dt>\(title)</dt>\(number ?? "<dd>–</dd>")</div>"
  }

  // MARK: - Instruments

  private var instruments: String {
    let width = PageText.width(coverage.bucketNanoseconds)
    return """
      <section aria-labelledby="instruments-title">
      <div class="title"><h2 id="instruments-title">Instruments</h2>\
      <p class="legend"><span><i class="key some"></i>messages, stronger is more</span>\
      <span><i class="key none"></i>none</span><span><i class="key gap"></i>gap</span>\
      <span><i class="key price"></i>last price</span>\
      <span><i class="key rate"></i>messages per \(width)</span></p>
      <p class="tools" id="tools" hidden><input type="search" id="filter" placeholder="Filter" \
      aria-label="Show instruments whose name contains"><label>Sort by <select id="sort">\
      <option value="name">name</option><option value="missing">time in gaps</option>\
      <option value="messages">messages</option></select></label></p></div>
      <div class="axis" id="axis" aria-hidden="true"></div>
      <div class="rows" id="rows">
      \(rows)
      </div>
      \(omitted)<p class="hint">Point at a chart, or step through it with the arrow keys; with Shift \
      they go from gap to gap.</p>
      <details><summary>The instruments as a table</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="The instruments as a table">
      \(table)
      </div></details>
      </section>
      """
  }

  private var omitted: String {
    let more = coverage.symbols.count - symbols.count
    guard more > 0 else { return "" }
    return
      "<p class=\"hint\">\(more) more instruments are in the totals and have no line here: those "
      + "with the longest gaps do.</p>"
  }

  private var rows: String {
    let all =
      symbols.count > 1
      ? row(
        id: "all",
        name: "All instruments",
        coverage.messages,
        coverage.share,
        missing: 0,
        [],
        nil
      )
      : ""
    return all
      + symbols.enumerated().map { index, symbol in
        row(
          id: String(index),
          name: symbol.symbol,
          symbol.messages,
          symbol.share,
          missing: symbol.missingNanoseconds,
          symbol.buckets,
          symbol.prices
        )
      }
      .joined(separator: "\n")
  }

  private func row(
    id: String,
    name: String,
    _ messages: Int,
    _ share: Double?,
    missing: Int64,
    _ buckets: [CoverageBucket],
    _ prices: (low: Decimal, high: Decimal, last: Decimal)?
  ) -> String {
    let escaped = PageText.escaped(name)
    let most = buckets.map(\.messages).max() ?? 0
    let width = coverage.bucketNanoseconds
    let peak = most > 0 ? "<p class=\"peak\">peak \(PageText.rate(most, in: width))/s</p>" : ""
    let price = prices.map {
      "<p class=\"last\">\($0.last)</p><p class=\"band\">\($0.low) – \($0.high)</p>"
    }
    let isWhole = share.map { $0 >= 1 } ?? true
    return """
      <article class="row\(id == "all" ? " all" : "")" data-row="\(id)" data-missing="\(missing)" \
      data-messages="\(messages)">
      <div class="who"><h3><bdi>\(escaped)</bdi></h3>\
      <p>\(PageText.grouped(Int64(messages))) messages</p>\
      <p\(isWhole ? "" : " class=\"bad\"")>\(share.map(PageText.percent) ?? "–") covered</p></div>
      <div class="plot" role="slider" tabindex="0" aria-label="\(escaped) over time" \
      aria-valuemin="0" aria-valuemax="0" aria-valuenow="0" aria-valuetext="use the arrow keys">\
      <canvas width="0" height="0" aria-hidden="true"></canvas></div>
      <div class="what">\(price ?? "")\(peak)</div>
      </article>
      """
  }

  private var table: String {
    let lines = symbols.map { symbol in
      """
      <tr data-symbol="\(PageText.escaped(symbol.symbol))"><th scope="row"><bdi>\
      \(PageText.escaped(symbol.symbol))</bdi></th>\
      \(Self.cell(symbol.messages))\(Self.cell(symbol.images))\
      \(Self.moment(symbol.received?.lowerBound))\(Self.moment(symbol.received?.upperBound))\
      \(Self.cell(symbol.gaps))\(Self.cell(symbol.missingNanoseconds, PageText.span))\
      <td class="n">\(symbol.share.map(PageText.percent) ?? "–")</td>\
      \(Self.price(symbol.prices?.low))\(Self.price(symbol.prices?.high))\
      \(Self.price(symbol.prices?.last))\
      \(Self.cell(symbol.latency.percentile(50), PageText.latency))\
      \(Self.cell(symbol.latency.percentile(99), PageText.latency))</tr>
      """
    }
    return """
      <table id="symbols-table"><thead><tr><th scope="col">Instrument</th>\
      <th scope="col" class="n">Messages</th><th scope="col" class="n">Images</th>\
      <th scope="col">First (UTC)</th><th scope="col">Last (UTC)</th>\
      <th scope="col" class="n">Gaps</th><th scope="col" class="n">Missing</th>\
      <th scope="col" class="n">Covered</th><th scope="col" class="n">Low</th>\
      <th scope="col" class="n">High</th><th scope="col" class="n">Last</th>\
      <th scope="col" class="n">p50</th><th scope="col" class="n">p99</th></tr></thead><tbody>
      \(lines.joined(separator: "\n"))
      </tbody></table>
      """
  }
}
