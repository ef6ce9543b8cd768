// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension PageScript {
  /// Draws on a canvas: the strip of what was recorded, gaps, prices, rates, bars of latency.
  static let drawing = #"""

    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(`--${name}`).trim();

    // Gaps are hatched, so that nobody has to see that they are red.
    function hatch(context, ratio) {
      const tile = document.createElement('canvas');
      const size = Math.round(6 * ratio);
      tile.width = tile.height = size;
      const pen = tile.getContext('2d');
      pen.fillStyle = color('tint');
      pen.fillRect(0, 0, size, size);
      pen.strokeStyle = color('gap');
      pen.lineWidth = 1.6 * ratio;
      pen.beginPath();
      for (const shift of [-size, 0, size]) {
        pen.moveTo(shift, size);
        pen.lineTo(shift + size, 0);
      }
      pen.stroke();
      const pattern = context.createPattern(tile, 'repeat');
      pattern.setTransform(new DOMMatrix().scale(1 / ratio));
      return pattern;
    }

    // A canvas as sharp as the screen; nothing if it has no size.
    function begin(plot) {
      const canvas = plot.firstElementChild;
      const ratio = window.devicePixelRatio || 1;
      const width = plot.clientWidth, height = plot.clientHeight;
      if (!width || !height) return null;
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      const pen = canvas.getContext('2d');
      pen.scale(canvas.width / width, canvas.height / height);
      return { pen, width, height, ratio };
    }

    // The messages of a bucket, from the left to the right. Where several buckets share a pixel it is
    // their mean, so that it does not matter how many they are.
    function columns(one, width) {
      const count = Math.min(data.count, Math.max(1, Math.floor(width)));
      const found = new Float64Array(count), buckets = new Float64Array(count);
      one.counts.forEach((messages, index) => {
        const column = Math.floor(index * count / data.count);
        found[column] += messages;
        buckets[column] += 1;
      });
      return found.map((messages, column) => messages / buckets[column]);
    }

    function drawStrip(pen, one, width, top, height, pattern) {
      pen.fillStyle = color('none');
      for (const [start, end] of data.runs) {
        const left = Math.max(0, start / total * width);
        pen.fillRect(left, top, Math.max(1, Math.min(width, end / total * width) - left), height);
      }
      const found = columns(one, width);
      const most = found.reduce((a, b) => Math.max(a, b), 0);
      pen.fillStyle = color('data');
      found.forEach((messages, index) => {
        if (!messages) return;
        // By orders of magnitude: one message in a bucket is seen as well as a thousand.
        pen.globalAlpha = 0.35 + 0.65 * Math.log1p(messages) / Math.log1p(most);
        const left = Math.round(index * width / found.length);
        pen.fillRect(left, top, Math.round((index + 1) * width / found.length) - left, height);
      });
      pen.globalAlpha = 1;
      for (const [left, right] of gapPixels(one, width)) {
        pen.clearRect(left, top, right - left, height);
        pen.fillStyle = pattern;
        pen.fillRect(left, top, right - left, height);
        pen.strokeStyle = color('gap');
        pen.strokeRect(left + 0.5, top + 0.5, Math.max(0, right - left - 1), height - 1);
      }
    }

    // However short a gap is, it is three pixels wide.
    function gapPixels(one, width) {
      return one.gaps.map(({ start, end }) => {
        const left = Math.min(start / total * width, width - 3);
        return [left, Math.max(left + 3, end / total * width)];
      });
    }

    function drawGapBands(pen, one, width, top, height) {
      pen.fillStyle = color('tint');
      for (const [left, right] of gapPixels(one, width)) {
        pen.fillRect(left, top, right - left, height);
      }
    }

    function drawTicks(pen, width, top, height) {
      pen.fillStyle = color('line');
      for (const { time } of ticks(width)) {
        pen.fillRect(Math.round((time - data.start) / total * width), top, 1, height);
      }
      // A run begins.
      pen.fillStyle = color('soft');
      data.runs.slice(1).forEach(([start]) => {
        const left = Math.round(start / total * width);
        for (let y = top; y < top + height; y += 5) pen.fillRect(left, y, 1, 2);
      });
    }

    function drawRates(pen, one, width, top, height) {
      const found = columns(one, width);
      const most = found.reduce((a, b) => Math.max(a, b), 0);
      pen.fillStyle = color('rate');
      const gap = width / found.length >= 4 ? 1 : 0;
      found.forEach((messages, index) => {
        if (!messages) return;
        const size = Math.max(1, messages / most * height);
        const left = Math.round(index * width / found.length);
        const right = Math.round((index + 1) * width / found.length);
        pen.fillRect(left, top + height - size, right - left - gap, size);
      });
    }

    // The line of last prices and the band from lowest to highest, interrupted by gaps.
    function drawPrices(pen, one, width, top, height) {
      if (!(one.highest >= one.lowest)) return;
      const room = one.highest - one.lowest || 1;
      const middle = one.highest === one.lowest ? 0.5 : 0;
      const y = (price) => top + height - ((price - one.lowest) / room + middle) * height;
      const x = (index) => (index + 0.5) * width / data.count;
      const cuts = new Set();
      for (const { start, end } of one.gaps) {
        const last = Math.min(data.count, Math.floor(end / data.width));
        for (let index = Math.floor(start / data.width); index <= last; index++) cuts.add(index);
      }
      const lines = [];
      let line = [];
      for (let index = 0; index < data.count; index++) {
        if (cuts.has(index) && line.length) { lines.push(line); line = []; }
        if (!Number.isNaN(one.last[index])) line.push(index);
      }
      if (line.length) lines.push(line);
      pen.lineJoin = 'round';
      for (const points of lines) {
        pen.fillStyle = color('fill');
        pen.beginPath();
        points.forEach((index) => pen.lineTo(x(index), y(one.high[index]) - 0.5));
        points.toReversed().forEach((index) => pen.lineTo(x(index), y(one.low[index]) + 0.5));
        pen.fill();
        pen.strokeStyle = color('data');
        pen.lineWidth = 1.5;
        pen.beginPath();
        points.forEach((index) => pen.lineTo(x(index), y(one.last[index])));
        pen.stroke();
        if (points.length > 1) continue;
        pen.fillStyle = color('data');
        pen.beginPath();
        pen.arc(x(points[0]), y(one.last[points[0]]), 1.5, 0, 7);
        pen.fill();
      }
      pen.lineWidth = 1;
    }

    function drawLatency(plot) {
      const surface = begin(plot);
      if (!surface) return;
      const { pen, width, height } = surface;
      const bars = data.latency, foot = 22, head = 20;
      const most = bars.reduce((a, [, , count]) => Math.max(a, count), 1);
      const step = Math.min(64, width / bars.length);
      const size = (count) => count && Math.max(2, count / most * (height - foot - head));
      pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
      pen.fillStyle = color('data');
      bars.forEach(([, , count], index) => {
        pen.fillRect(index * step + 1, height - foot - size(count), step - 2, size(count));
      });
      pen.fillStyle = color('line');
      pen.fillRect(0, height - foot, step * bars.length, 1);
      pen.textBaseline = 'alphabetic';
      const every = Math.ceil(58 / step);
      pen.fillStyle = color('soft');
      bars.forEach(([from], index) => {
        if (index % every === 0) pen.fillText(latency(from), index * step + 1, height - 6);
      });
      [['p50', data.p50], ['p99', data.p99]].forEach(([name, value]) => {
        const index = bars.findIndex(([from, to]) => value >= from && value < to);
        if (index < 0) return;
        const [from, to] = bars[index];
        const left = (index + (value - from) / (to - from)) * step;
        pen.fillStyle = color('ink');
        pen.fillRect(Math.round(left), 14, 1, height - foot - 14);
        const label = `${name} ${latency(value)}`;
        const room = pen.measureText(label).width;
        const isRight = left + 6 + room < width;
        pen.fillText(label, isRight ? left + 5 : left - 5 - room, name === 'p50' ? 12 : 26);
      });
    }
    """#
}
