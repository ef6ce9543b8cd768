// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

extension PageParts {
  /// How long messages were under way.
  var latency: String {
    let histogram = coverage.latency
    guard histogram.count > 0, let half = histogram.percentile(50),
      let most = histogram.percentile(99), let longest = histogram.max
    else {
      return """
        <section aria-labelledby="latency-title"><h2 id="latency-title">Latency</h2>\
        <p class="hint">No message has a time of the server's.</p></section>
        """
    }
    let early =
      histogram.early > 0
      ? " \(PageText.grouped(Int64(histogram.early))) came before they were sent: one of the clocks is"
        + " wrong." : ""
    let lines = histogram.bars.map { bar in
      """
      <tr><th scope="row">\(PageText.latency(bar.from)) to \(PageText.latency(bar.to))</th>\
      \(Self.cell(bar.count))</tr>
      """
    }
    return """
      <section aria-labelledby="latency-title">
      <h2 id="latency-title">Latency</h2>
      <p>From the server’s clock to this one: half of \(PageText.grouped(Int64(histogram.count))) \
      messages within <b>\(PageText.latency(half))</b>, 99 % within <b>\(PageText.latency(most))</b>, \
      all within <b id="longest" data-value="\(longest)">\(PageText.latency(longest))</b>.\(early)</p>
      <div class="plot latency" role="slider" tabindex="0" aria-label="Messages by latency" \
      data-row="latency" aria-valuemin="0" aria-valuemax="0" aria-valuenow="0" \
      aria-valuetext="use the arrow keys"><canvas width="0" height="0" aria-hidden="true"></canvas></div>
      <details><summary>The latency as a table</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="The latency as a table">
      <table id="latency-table"><thead><tr><th scope="col">Latency</th>\
      <th scope="col" class="n">Messages</th></tr></thead><tbody>
      \(lines.joined(separator: "\n"))
      </tbody></table></div></details>
      </section>
      """
  }

  /// The gaps, the longest if there are too many.
  var gaps: String {
    let all = coverage.gaps
    guard !all.isEmpty else {
      return """
        <section id="gaps" aria-labelledby="gaps-title"><h2 id="gaps-title">Gaps</h2>\
        <p class="hint">None.</p></section>
        """
    }
    var shown = all[...]
    if all.count > CoveragePage.rowLimit {
      let longest = all.sorted { $0.end - $0.recorded.start > $1.end - $1.recorded.start }
      shown =
        longest.prefix(CoveragePage.rowLimit).sorted { $0.recorded.start < $1.recorded.start }[...]
    }
    let more = all.count - shown.count
    return """
      <section id="gaps" aria-labelledby="gaps-title">
      <h2 id="gaps-title">Gaps</h2>
      <div class="scroll" tabindex="0" role="region" aria-label="Gaps">
      <table id="gaps-table"><thead><tr><th scope="col">Reason</th><th scope="col">From (UTC)</th>\
      <th scope="col">To</th><th scope="col" class="n">Lasted</th><th scope="col">Instruments</th>\
      <th scope="col">Filled</th><th scope="col">Noticed by</th><th scope="col">Gap</th></tr></thead>\
      <tbody>
      \(shown.map(Self.line).joined(separator: "\n"))
      </tbody></table></div>
      \(more > 0 ? "<p class=\"hint\">\(more) shorter gaps have no line here: see ibkr gaps.</p>" : "")
      </section>
      """
  }

  private static func line(of gap: RecordingCoverage.Gap) -> String {
    let recorded = gap.recorded
    let names = recorded.symbols.prefix(6).map { "<bdi>\(PageText.escaped($0))</bdi>" }
    let more = recorded.symbols.count - names.count
    let rest = more > 0 ? " and \(PageText.grouped(Int64(more))) more" : ""
    let filled = gap.bars > 0 ? "\(PageText.grouped(Int64(gap.bars))) bars" : "no"
    let lasted = recorded.end.map { cell(max(0, $0 - recorded.start), PageText.span) }
    return """
      <tr data-gap="\(PageText.escaped(recorded.id))"><td><span class="reason">\
      <i class="key gap"></i>\(PageText.escaped(recorded.reason.rawValue))</span></td>\
      \(moment(recorded.start))\(recorded.end.map { moment($0) } ?? "<td>the end of the run</td>")\
      \(lasted ?? "<td class=\"n\">–</td>")\
      <td class="names">\(names.joined(separator: ", "))\(rest)</td><td>\(filled)</td>\
      <td>\(PageText.escaped(recorded.detectedBy))</td>\
      <td class="id">\(PageText.escaped(recorded.id))</td></tr>
      """
  }

  /// The runs.
  var runs: String {
    let lines = coverage.runs.suffix(CoveragePage.rowLimit).map { run in
      """
      <tr><td class="id">\(PageText.escaped(run.id))</td>\(Self.moment(run.start))\
      \(Self.moment(run.end))\
      \(run.end.map { Self.cell(max(0, $0 - run.start), PageText.span) } ?? "<td>–</td>")\
      <td\(run.state == .crashed ? " class=\"bad\"" : "")>\(run.state.rawValue)</td></tr>
      """
    }
    return """
      <section aria-labelledby="runs-title">
      <h2 id="runs-title">Runs</h2>
      <div class="scroll" tabindex="0" role="region" aria-label="Runs">
      <table id="runs-table"><thead><tr><th scope="col">Run</th><th scope="col">From (UTC)</th>\
      <th scope="col">To</th><th scope="col" class="n">Lasted</th><th scope="col">State</th></tr>\
      </thead><tbody>
      \(lines.joined(separator: "\n"))
      </tbody></table></div>
      </section>
      """
  }

  /// How the numbers came about.
  var foot: String {
    """
    <footer>
    <p>Every number is counted from the recording itself: messages are the rows of ch=quote, gaps those \
    of ch=gap. Each instrument’s messages, and its lowest, highest and last price, are counted per \
    \(PageText.width(coverage.bucketNanoseconds)). Latency is ts_recv − ts_event of everything but \
    images, to two digits. Covered is the part of an instrument’s time, from the first to the last that \
    is known of it, that lies in no gap.</p>
    <p>Made by <b>ibkr coverage</b>. This page asks for nothing from the network.</p>
    </footer>
    """
  }

  // MARK: - Cells

  static func cell(_ number: Int) -> String { cell(Int64(number), PageText.grouped) }

  static func cell(_ number: Int64?, _ text: (Int64) -> String) -> String {
    guard let number else { return "<td class=\"n\">–</td>" }
    return "<td class=\"n\" data-value=\"\(number)\">\(text(number))</td>"
  }

  static func price(_ price: Decimal?) -> String {
    "<td class=\"n\">\(price?.description ?? "–")</td>"
  }

  static func moment(_ realtime: Int64?) -> String {
    guard let realtime else { return "<td>–</td>" }
    return
      "<td class=\"t\" data-value=\"\(realtime)\"><time datetime=\"\(PageText.machine(realtime))\">"
      + "\(PageText.moment(realtime))</time></td>"
  }
}
