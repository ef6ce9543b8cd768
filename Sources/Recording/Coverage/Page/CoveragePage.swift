// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto

/// A recording's coverage as one page of HTML that needs nothing else.
///
/// Everything that counts stands in it as text and tables; a script draws the charts from numbers
/// that stand in it once. Its policy forbids every request, and every script and style but its own,
/// which it names by their digests. It has 500 instruments and 500 gaps at most: those with the longest
/// gaps, and the longest gaps.
public struct CoveragePage: Sendable {
  /// The page.
  public let html: String

  /// The most instruments, and the most gaps, that have a line each.
  static let rowLimit = 500

  /// Makes a page.
  ///
  /// - Parameters:
  ///   - coverage: What it shows.
  ///   - name: What the recording is called.
  public init(of coverage: RecordingCoverage, named name: String) {
    let shown = Self.shown(coverage.symbols)
    let parts = PageParts(coverage: coverage, symbols: shown, name: name)
    let script = PageScript.text
    html = """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="\(Self.policy(script: script))">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="referrer" content="no-referrer">
      <title>\(PageText.escaped(name)) · coverage</title>
      <link rel="icon" href="\(Self.icon)">
      <style>\(PageStyle.text)</style>
      </head>
      <body>
      \(parts.body)
      <script type="application/json" id="data">\(PageData(coverage, symbols: shown).json)</script>
      <script>\(script)</script>
      </body>
      </html>

      """
  }

  /// The instruments that have a line of their own: all, or those with the longest gaps.
  private static func shown(_ symbols: [SymbolCoverage]) -> [SymbolCoverage] {
    guard symbols.count > rowLimit else { return symbols }
    let first = symbols.sorted {
      ($0.missingNanoseconds, $0.messages) > ($1.missingNanoseconds, $1.messages)
    }
    return first.prefix(rowLimit).sorted { $0.symbol < $1.symbol }
  }

  /// No request, nothing from elsewhere, and of what stands in the page only what we have written.
  private static func policy(script: String) -> String {
    "default-src 'none'; img-src data:; style-src \(source(PageStyle.text)); "
      + "script-src \(source(script)); base-uri 'none'; form-action 'none'"
  }

  /// What a policy calls a text that may stand in the page; where there is no digest, none may.
  private static func source(_ text: String) -> String {
    let digest = try? Digest.of(Array(text.utf8), .sha256)
    return digest.map { "'sha256-\(Base64.encode($0))'" } ?? "'none'"
  }

  /// So that a browser asks no server for one.
  private static let icon =
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    + "%3Cpath d='M1 9h4v6H1zM11 4h4v11h-4z' fill='%231f6f8b'/%3E"
    + "%3Cpath d='M6 1h4v14H6z' fill='%23c8321f'/%3E%3C/svg%3E"
}
