// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How the page looks, light and dark, from 390 pixels on.
enum PageStyle {
  /// The rules.
  ///
  /// Gaps are red and hatched; everything that is measured is blue.
  static let text = #"""
    :root {
      color-scheme: light dark;
      --ground: #faf9f6; --panel: #ffffff; --ink: #1c1c1a; --soft: #66655f; --line: #e3e0d7;
      --none: #eceae2; --data: #1f6f8b; --fill: #1f6f8b26; --rate: #8ab4c3; --gap: #c02c1b;
      --tint: #c02c1b17; --cross: #1c1c1a66;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --ground: #121416; --panel: #1a1d20; --ink: #ebe8e1; --soft: #a09f98; --line: #2e3237;
        --none: #25292d; --data: #5cb6d2; --fill: #5cb6d22b; --rate: #39687a; --gap: #ff7a63;
        --tint: #ff7a631f; --cross: #ebe8e180;
      }
    }
    * { box-sizing: border-box; margin: 0; }
    html { background: var(--ground); -webkit-text-size-adjust: 100%; }
    body {
      max-width: 1280px; margin: 0 auto; padding: 40px 32px 56px; color: var(--ink);
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue",
        "Liberation Sans", "Noto Sans", sans-serif;
      font-variant-numeric: tabular-nums;
    }
    a { color: inherit; }
    .skip { position: absolute; left: -999px; }
    .skip:focus { left: 16px; top: 8px; padding: 4px 10px; background: var(--panel); }
    :focus-visible { outline: 2px solid var(--data); outline-offset: 3px; border-radius: 2px; }
    h1, h2, h3, dt, th { font-weight: 600; }
    .eyebrow {
      color: var(--soft); font-size: 12px; letter-spacing: .09em; text-transform: uppercase;
    }
    h1 { font-size: 40px; line-height: 1.15; letter-spacing: -.02em; overflow-wrap: anywhere; }
    .period { margin-top: 6px; color: var(--soft); }
    .period time { color: var(--ink); white-space: nowrap; }
    .period abbr { text-decoration: none; }
    .length { white-space: nowrap; }
    .length::before { content: "·"; margin: 0 8px; }
    .verdict { margin: 28px 0 22px; font-size: 20px; line-height: 1.35; }
    .verdict strong { font-size: 34px; font-weight: 650; letter-spacing: -.02em; margin-right: 4px; }
    .bad { color: var(--gap); }
    .figures {
      display: grid; grid-template-columns: repeat(6, 1fr); gap: 1px; overflow: hidden;
      background: var(--line); border: 1px solid var(--line); border-radius: 10px;
    }
    .figures div { padding: 12px 16px 13px; background: var(--panel); }
    .figures dt { color: var(--soft); font-size: 12px; font-weight: 400; }
    .figures dd { font-size: 21px; font-weight: 600; letter-spacing: -.01em; white-space: nowrap; }
    section { margin-top: 48px; }
    h2 { font-size: 20px; letter-spacing: -.01em; }
    section > p { margin: 6px 0 14px; }
    .hint { margin-top: 12px; color: var(--soft); font-size: 13px; }
    .title { display: flex; flex-wrap: wrap; align-items: baseline; gap: 6px 28px; }
    .legend { display: flex; flex-wrap: wrap; gap: 4px 18px; color: var(--soft); font-size: 13px; }
    .key {
      display: inline-block; width: 18px; height: 10px; margin-right: 7px; border-radius: 2px;
      vertical-align: 0;
    }
    .key.some { background: linear-gradient(90deg, var(--rate), var(--data)); }
    .key.none { background: var(--none); border: 1px solid var(--line); }
    .key.gap {
      background: repeating-linear-gradient(135deg, var(--gap) 0 2px, var(--tint) 2px 5px);
      border: 1px solid var(--gap);
    }
    .key.price { height: 0; border-top: 2px solid var(--data); vertical-align: 4px; }
    .key.rate { background: var(--rate); }
    .tools { margin-left: auto; color: var(--soft); font-size: 13px; }
    .tools input, .tools select {
      padding: 4px 9px; color: var(--ink); background: var(--panel); font: inherit;
      border: 1px solid var(--line); border-radius: 6px;
    }
    .tools input { width: 130px; margin-right: 12px; }
    .axis, .row {
      display: grid; grid-template-columns: 140px minmax(0, 1fr) 128px; column-gap: 20px;
    }
    .axis {
      position: sticky; top: 0; z-index: 2; height: 30px; margin-top: 10px;
      background: var(--ground); border-bottom: 1px solid var(--line);
    }
    .axis div { position: relative; grid-column: 2; }
    .axis span {
      position: absolute; bottom: 4px; color: var(--soft); font-size: 12px; white-space: nowrap;
      transform: translateX(-50%);
    }
    .axis span:first-child { transform: none; }
    .axis .day { color: var(--ink); font-weight: 600; }
    .rows { position: relative; }
    .row { padding: 13px 0; border-bottom: 1px solid var(--line); }
    .row[hidden] { display: none; }
    .row h3 { font-size: 16px; line-height: 1.25; overflow-wrap: anywhere; }
    .who p, .what p { color: var(--soft); font-size: 12px; line-height: 1.45; }
    .who .bad { color: var(--gap); }
    .what { display: flex; flex-direction: column; }
    .what .last { margin-top: 13px; color: var(--ink); font-size: 16px; font-weight: 600; line-height: 1.25; }
    .what .peak { margin-top: auto; }
    .plot { height: 92px; cursor: crosshair; touch-action: pan-y; }
    .plot canvas { display: block; width: 100%; height: 100%; }
    .all .plot { height: 64px; }
    .latency.plot { height: 190px; margin-top: 14px; }
    .dense .row { padding: 7px 0; }
    .dense .plot { height: 62px; }
    .dense .what .last { margin-top: 4px; }
    #cross { position: absolute; top: 0; bottom: 0; width: 1px; background: var(--cross); pointer-events: none; }
    #tip {
      position: fixed; z-index: 3; max-width: 300px; padding: 8px 12px 9px; pointer-events: none;
      color: var(--ink); background: var(--panel); border: 1px solid var(--line); font-size: 13px;
      border-radius: 8px; box-shadow: 0 4px 18px #0000002e;
    }
    #tip b { display: block; }
    #tip[hidden], #cross[hidden] { display: none; }
    .scroll { overflow-x: auto; margin-top: 12px; }
    table { width: 100%; border-collapse: collapse; font-size: 13px; }
    th, td { padding: 7px 18px 7px 0; text-align: left; vertical-align: top; }
    thead th { color: var(--soft); font-weight: 400; font-size: 12px; border-bottom: 1px solid var(--ink); }
    tbody tr + tr > * { border-top: 1px solid var(--line); }
    th:last-child, td:last-child { padding-right: 0; }
    .n { text-align: right; white-space: nowrap; }
    .names { min-width: 180px; }
    .t, .reason { white-space: nowrap; }
    .reason { color: var(--gap); font-weight: 600; }
    .id { color: var(--soft); font-family: ui-monospace, "SF Mono", Menlo, "Liberation Mono", monospace; font-size: 12px; white-space: nowrap; }
    details { margin-top: 16px; font-size: 13px; }
    summary { width: fit-content; color: var(--soft); cursor: pointer; }
    summary:hover { color: var(--ink); }
    footer { max-width: 760px; margin-top: 56px; padding-top: 16px; color: var(--soft); font-size: 13px; border-top: 1px solid var(--line); }
    footer p + p { margin-top: 8px; }
    @media (max-width: 860px) {
      body { padding: 24px 16px 40px; }
      h1 { font-size: 32px; }
      .verdict { margin: 20px 0 18px; font-size: 17px; }
      .verdict strong { font-size: 28px; }
      .figures { grid-template-columns: repeat(3, 1fr); }
      .figures div { padding: 10px 12px; }
      .figures dd { font-size: 18px; }
      .axis, .row { grid-template-columns: minmax(0, 1fr); }
      .axis div { grid-column: 1; }
      .tools { margin-left: 0; }
      .row { row-gap: 7px; }
      .who, .what { display: flex; flex-flow: row wrap; align-items: baseline; gap: 0 14px; }
      .what { order: 3; }
      .what .last { margin: 0; font-size: 13px; }
      .dense .what .last { margin: 0; }
      .what .peak { margin: 0 0 0 auto; }
      section { margin-top: 36px; }
    }
    @media (max-width: 460px) {
      .figures { grid-template-columns: repeat(2, 1fr); }
    }
    @media print {
      body { padding: 0; }
      .tools, .hint, .skip, details { display: none; }
      .axis { position: static; }
      .row { break-inside: avoid; }
    }
    """#
}
