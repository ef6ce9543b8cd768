// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension PageScript {
  /// Puts the charts into the page: the axis, which rows there are and in which order, and drawing
  /// those that are looked at.
  static let charts = #"""

    const rows = [...document.querySelectorAll('.row')];
    const plots = [...document.querySelectorAll('.plot')];
    const list = document.getElementById('rows');
    if (rows.length > 30) list.classList.add('dense');

    function ticks(width) {
      const steps = [1e3, 2e3, 5e3, 10e3, 15e3, 30e3, minute, 2 * minute, 5 * minute, 10 * minute,
        15 * minute, 30 * minute, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day,
        7 * day, 14 * day, 28 * day, 91 * day, 364 * day];
      const room = Math.max(2, Math.floor(width / 84));
      const step = steps.find((each) => total / each <= room) ?? steps[steps.length - 1];
      const found = [];
      for (let time = Math.ceil(data.start / step) * step; time < data.start + total; time += step) {
        const isDay = time % day === 0;
        found.push({ time, isDay,
          text: isDay ? dayName(new Date(time)) : clock(time, step < minute) });
      }
      return found;
    }

    function drawAxis() {
      const axis = document.getElementById('axis');
      const scale = document.createElement('div');
      axis.replaceChildren(scale);
      const width = scale.clientWidth;
      for (const { time, isDay, text } of ticks(width)) {
        const left = (time - data.start) / total * width;
        if (left > width - 20 || (left > 0 && left < 20)) continue;
        const label = document.createElement('span');
        label.textContent = text;
        label.style.left = `${left}px`;
        if (isDay) label.className = 'day';
        scale.append(label);
      }
    }

    function drawPlot(plot) {
      const row = plot.closest('[data-row]').dataset.row;
      if (row === 'latency') { drawLatency(plot); return; }
      const surface = begin(plot);
      if (!surface || !data.count) return;
      const { pen, width, height, ratio } = surface;
      const one = series(row);
      const pattern = hatch(pen, ratio);
      const strip = Math.round(Math.max(9, height * 0.15));
      const top = strip + 6;
      const rates = row === 'all' ? height - top : Math.round((height - top) * 0.3);
      drawTicks(pen, width, top, height - top);
      drawGapBands(pen, one, width, top, height - top);
      drawRates(pen, one, width, height - rates, rates);
      if (row !== 'all') drawPrices(pen, one, width, top + 2, height - top - rates - 8);
      drawStrip(pen, one, width, 0, strip, pattern);
    }

    // Only what is looked at has pixels, so that hundreds of charts do not fill the memory.
    const seen = new Set();
    const watcher = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting === seen.has(target)) continue;
        if (isIntersecting) {
          seen.add(target);
          drawPlot(target);
        } else {
          seen.delete(target);
          target.firstElementChild.width = 0;
        }
      }
    }, { rootMargin: '800px 0px' });

    function draw() {
      drawAxis();
      for (const plot of seen) drawPlot(plot);
    }

    function arrange() {
      const word = document.getElementById('filter').value.trim().toLowerCase();
      const order = document.getElementById('sort').value;
      for (const row of rows) {
        const name = row.dataset.row === 'all' ? '' : data.symbols[row.dataset.row].name;
        row.hidden = row.dataset.row !== 'all' && !name.toLowerCase().includes(word);
      }
      const sorted = order === 'name' ? rows
        : rows.toSorted((a, b) => (b.dataset.row === 'all') - (a.dataset.row === 'all')
          || b.dataset[order] - a.dataset[order]);
      list.append(...sorted);
      list.append(cross);
    }

    const cross = document.getElementById('cross');
    list.append(cross);
    if (rows.length > 6) {
      document.getElementById('tools').hidden = false;
      document.getElementById('filter').addEventListener('input', arrange);
      document.getElementById('sort').addEventListener('change', arrange);
    }
    for (const plot of plots) watcher.observe(plot);
    new ResizeObserver(draw).observe(document.body);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
    window.addEventListener('beforeprint', () => plots.forEach(drawPlot));
    """#
}
