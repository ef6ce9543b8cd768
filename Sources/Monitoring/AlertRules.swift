// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Rules for Prometheus' alerts about a recorder.
public enum AlertRules {
  /// The rule file.
  ///
  /// What counts is missing data, which a closed market is not.
  public static let text = """
    # Made by `ibkr service alerts`; goes into rule_files of prometheus.yml.
    groups:
      - name: ibkr
        rules:
          - alert: IbkrRecorderDown
            expr: up{job="ibkr"} == 0
            for: 1m
            labels:
              severity: page
            annotations:
              summary: "the recorder on {{ $labels.instance }} does not answer"
          - alert: IbkrDataMissing
            expr: ibkr_subscriptions_missing_data > 0
            for: 1m
            labels:
              severity: page
            annotations:
              summary: "{{ $value }} subscriptions on {{ $labels.instance }} have no data"
          - alert: IbkrNotWritten
            expr: ibkr_recorder_failing > 0
            for: 30s
            labels:
              severity: page
            annotations:
              summary: "the recorder on {{ $labels.instance }} cannot write to its disk"
          - alert: IbkrLoginNeeded
            expr: ibkr_session_phase{phase=~"logged_out|competing"} == 1
            for: 5m
            labels:
              severity: page
            annotations:
              summary: "the session on {{ $labels.instance }} is {{ $labels.phase }}: somebody has to act"
          - alert: IbkrSubscriptionRefused
            expr: ibkr_subscriptions{state="failed"} > 0
            for: 5m
            labels:
              severity: ticket
            annotations:
              summary: "{{ $value }} subscriptions on {{ $labels.instance }} are refused"
          - alert: IbkrDiskFull
            expr: predict_linear(ibkr_recorder_disk_free_bytes[6h], 3 * 86400) < 0
            for: 30m
            labels:
              severity: ticket
            annotations:
              summary: "the disk of {{ $labels.instance }} is full within three days"

    """
}
