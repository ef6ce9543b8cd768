// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import Monitoring

@Suite struct PrometheusTextTests {
  @Test func aMetricHasHelpTypeAndValues() {
    var text = PrometheusText()
    text.begin("a_total", .counter, "What is counted.")
    text.add("a_total", ["kind": "one", "name": "x"], 3)
    text.add("b_bytes", .gauge, "How many.", 7)
    #expect(
      text.text == """
        # HELP a_total What is counted.
        # TYPE a_total counter
        a_total{kind="one",name="x"} 3
        # HELP b_bytes How many.
        # TYPE b_bytes gauge
        b_bytes 7

        """
    )
  }

  @Test func labelsAreEscaped() {
    var text = PrometheusText()
    text.add("a", ["v": "q\" b\\ n\nend"], 1)
    #expect(text.text == #"a{v="q\" b\\ n\nend"} 1"# + "\n")
  }

  @Test func bucketsAreCumulative() {
    var histogram = Histogram(bounds: [0.1, 1])
    for value in [0.05, 0.1, 0.5, 2, 3] { histogram.add(value) }
    var text = PrometheusText()
    text.add("d_seconds", "Delay.", histogram)
    #expect(
      text.text == """
        # HELP d_seconds Delay.
        # TYPE d_seconds histogram
        d_seconds_bucket{le="0.1"} 2
        d_seconds_bucket{le="1.0"} 3
        d_seconds_bucket{le="+Inf"} 5
        d_seconds_sum 5.65
        d_seconds_count 5

        """
    )
  }

  @Test(arguments: [(0.2, 0.1), (0.6, 1.0), (1.0, Double.infinity)])
  func aShareHasABound(_ share: Double, _ bound: Double) {
    var histogram = Histogram(bounds: [0.1, 1])
    for value in [0.05, 0.1, 0.5, 2, 3] { histogram.add(value) }
    #expect(histogram.bound(of: share) == bound)
    #expect(Histogram(bounds: [1]).bound(of: share) == nil)
  }
}
