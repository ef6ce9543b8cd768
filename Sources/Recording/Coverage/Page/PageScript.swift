// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What the page does: it draws its charts, and tells what is at the pointer.
enum PageScript {
  /// The script; its pieces have their files by what they do.
  static let text = "'use strict';\n(() => {\n" + reading + drawing + charts + pointing + "})();\n"

  /// Takes the numbers apart that `PageData` has written.
  private static let reading = #"""
    const data = JSON.parse(document.getElementById('data').textContent);
    const minute = 60e3, hour = 3600e3, day = 864e5;
    const total = data.count * data.width;
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const digitValues = new Map([...digits].map((digit, value) => [digit, value]));

    function* numbers(text) {
      let value = 0, factor = 1;
      for (const digit of text) {
        const bits = digitValues.get(digit);
        value += (bits & 31) * factor;
        if (bits & 32) { factor *= 32; } else { yield value; value = 0; factor = 1; }
      }
    }
    const signed = (number) => number % 2 ? -(number + 1) / 2 : number / 2;

    function readSymbol(packed) {
      const counts = new Float64Array(data.count);
      const low = new Float64Array(data.count).fill(NaN);
      const high = low.slice(), last = low.slice();
      const source = numbers(packed.buckets);
      const next = () => source.next().value;
      let index = -1, price = 0, most = 0, lowest = Infinity, highest = -Infinity;
      for (let skip = next(); skip !== undefined; skip = next()) {
        index += skip + 1;
        const head = next();
        counts[index] = Math.floor(head / 2);
        most = Math.max(most, counts[index]);
        if (head % 2 === 0) continue;
        price += signed(next());
        last[index] = price;
        high[index] = price + next();
        low[index] = price - next();
        lowest = Math.min(lowest, low[index]);
        highest = Math.max(highest, high[index]);
      }
      const gaps = [];
      const spans = numbers(packed.gaps);
      for (let time = 0, step = spans.next(); !step.done; step = spans.next()) {
        const start = time + step.value;
        time = start + spans.next().value;
        gaps.push({ start, end: time, reason: data.reasons[spans.next().value] });
      }
      return { name: packed.name, places: packed.places, counts, low, high, last, gaps, most,
        lowest, highest };
    }

    const symbols = new Map();
    function symbol(index) {
      if (!symbols.has(index)) symbols.set(index, readSymbol(data.symbols[index]));
      return symbols.get(index);
    }

    // Where instruments have no data at the same time, they have one gap together.
    function readAll() {
      const counts = new Float64Array(data.count);
      const gaps = [];
      data.symbols.forEach((_, index) => {
        const one = symbol(index);
        one.counts.forEach((count, bucket) => { counts[bucket] += count; });
        gaps.push(...one.gaps);
      });
      gaps.sort((a, b) => a.start - b.start || a.end - b.end);
      const merged = [];
      for (const gap of gaps) {
        const before = merged[merged.length - 1];
        if (before && gap.start <= before.end && gap.reason === before.reason) {
          before.end = Math.max(before.end, gap.end);
        } else {
          merged.push({ ...gap });
        }
      }
      return { name: 'All instruments', counts, gaps: merged,
        most: counts.reduce((a, b) => Math.max(a, b), 0), lowest: Infinity, highest: -Infinity };
    }
    let all;
    const series = (row) => row === 'all' ? all ??= readAll() : symbol(Number(row));

    const two = (number) => String(number).padStart(2, '0');
    const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
    const dayName = (date) => `${date.getUTCDate()} ${months[date.getUTCMonth()]}`;
    function clock(time, seconds) {
      const date = new Date(time);
      return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`
        + (seconds ? `:${two(date.getUTCSeconds())}` : '');
    }
    const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ',');
    function length(milliseconds) {
      const seconds = milliseconds / 1e3;
      if (seconds < 1) return `${Math.floor(milliseconds)} ms`;
      if (seconds < 60) return `${Math.floor(seconds * 10) / 10} s`;
      const [large, small, size, part] = seconds < 3600 ? ['min', 's', 60, 1]
        : seconds < 86400 ? ['h', 'min', 3600, 60] : ['d', 'h', 86400, 3600];
      const rest = Math.floor(seconds % size / part);
      return `${Math.floor(seconds / size)} ${large}${rest ? ` ${rest} ${small}` : ''}`;
    }
    function latency(nanoseconds) {
      for (const [unit, name] of [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs'], [1, 'ns']]) {
        if (nanoseconds >= unit) return `${Math.floor(nanoseconds * 10 / unit) / 10} ${name}`;
      }
      return '0 ms';
    }
    """#
}
