// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension PageScript {
  /// Tells what is at the pointer, and at the place that the arrow keys have reached.
  ///
  /// Each chart is a slider to whoever cannot see it: its value is what the tooltip says.
  static let pointing = #"""

    const tip = document.getElementById('tip');
    const places = new Map();
    const rowOf = (plot) => plot.closest('[data-row]').dataset.row;
    const countOf = (row) => row === 'latency' ? data.latency.length : data.count;

    // The lines of a tooltip; those about gaps are marked.
    function describe(row, index) {
      if (row === 'latency') {
        const [from, to, count] = data.latency[index];
        return [{ text: `${latency(from)} to ${latency(to)}` }, { text: messages(count) }];
      }
      const one = series(row);
      const start = data.start + index * data.width;
      const end = start + data.width;
      const exact = data.width < minute;
      const date = total > day || data.width >= day ? `${dayName(new Date(start))} ` : '';
      const lines = [{ text: data.width >= day ? `${date}UTC, ${length(data.width)}`
        : `${date}${clock(start, exact)} to ${clock(end, exact)} UTC` }];
      const count = one.counts[index];
      const rate = count / data.width * 1e3;
      lines.push({ text: messages(count)
        + (count ? `, ${rate.toFixed(rate < 10 ? 2 : 0)} a second` : '') });
      if (row !== 'all' && !Number.isNaN(one.last[index])) {
        const price = (units) => (units / 10 ** one.places).toFixed(one.places);
        lines.push({ text: `last ${price(one.last[index])}, `
          + `${price(one.low[index])} to ${price(one.high[index])}` });
      }
      gapsAt(one, index).slice(0, 3).forEach(({ start, end, reason }) => {
        lines.push({ text: `gap: ${reason}, ${length(end - start)}`, isGap: true });
      });
      return lines;
    }
    const messages = (count) =>
      count === 0 ? 'no message' : `${grouped(count)} message${count === 1 ? '' : 's'}`;
    const gapsAt = (one, index) => one.gaps.filter(({ start, end }) =>
      start < (index + 1) * data.width && end >= index * data.width);

    function stepOf(plot) {
      const row = rowOf(plot);
      return row === 'latency' ? Math.min(64, plot.clientWidth / data.latency.length)
        : plot.clientWidth / data.count;
    }

    function show(plot, index) {
      const row = rowOf(plot);
      places.set(plot, index);
      const lines = describe(row, index);
      const name = row === 'latency' ? '' : series(row).name;
      plot.setAttribute('aria-valuenow', index);
      plot.setAttribute('aria-valuetext', lines.map(({ text }) => text).join(', '));
      const nodes = lines.map(({ text, isGap }) => {
        const line = document.createElement('div');
        line.textContent = text;
        if (isGap) line.className = 'bad';
        return line;
      });
      const title = document.createElement('b');
      title.textContent = name;
      tip.replaceChildren(...(name ? [title] : []), ...nodes);
      tip.hidden = false;
      const box = plot.getBoundingClientRect();
      const x = box.left + (index + 0.5) * stepOf(plot);
      const isLeft = x + 16 + tip.offsetWidth > innerWidth - 8;
      tip.style.left = `${Math.max(8, isLeft ? x - 14 - tip.offsetWidth : x + 14)}px`;
      const below = Math.min(box.top + 12, innerHeight - tip.offsetHeight - 8);
      tip.style.top = `${Math.max(8, below)}px`;
      cross.hidden = row === 'latency';
      cross.style.left = `${x - list.getBoundingClientRect().left}px`;
    }

    // What the keys have reached goes where its chart goes; what was pointed at is elsewhere now.
    function follow() {
      const plot = document.activeElement;
      if (!tip.hidden && places.has(plot) && plot.matches(':focus-visible')) {
        show(plot, places.get(plot));
      } else {
        hide();
      }
    }

    function hide() {
      tip.hidden = true;
      cross.hidden = true;
    }

    function toGap(plot, index, isBack) {
      const row = rowOf(plot);
      if (row === 'latency') return index;
      const starts = series(row).gaps.map(({ start }) =>
        Math.min(data.count - 1, Math.floor(start / data.width)));
      return (isBack ? starts.findLast((start) => start < index)
        : starts.find((start) => start > index)) ?? index;
    }

    function press(plot, event) {
      const last = countOf(rowOf(plot)) - 1;
      const index = places.get(plot) ?? 0;
      const page = Math.max(1, Math.round(last / 20));
      const targets = { ArrowRight: index + 1, ArrowUp: index + 1, ArrowLeft: index - 1,
        ArrowDown: index - 1, PageUp: index + page, PageDown: index - page, Home: 0, End: last };
      if (event.key === 'Escape') { hide(); return; }
      if (!(event.key in targets)) return;
      event.preventDefault();
      const isGap = event.shiftKey && event.key.startsWith('Arrow');
      const isBack = event.key === 'ArrowLeft' || event.key === 'ArrowDown';
      const target = isGap ? toGap(plot, index, isBack) : targets[event.key];
      show(plot, Math.max(0, Math.min(last, target)));
    }

    for (const plot of plots) {
      const last = countOf(rowOf(plot)) - 1;
      if (last < 0) continue;
      plot.setAttribute('aria-valuemax', last);
      const point = (event) => {
        const index = Math.floor((event.clientX - plot.getBoundingClientRect().left) / stepOf(plot));
        show(plot, Math.max(0, Math.min(last, index)));
      };
      plot.addEventListener('pointermove', point);
      plot.addEventListener('pointerdown', point);
      plot.addEventListener('pointerleave', hide);
      plot.addEventListener('blur', hide);
      plot.addEventListener('keydown', (event) => press(plot, event));
      plot.addEventListener('focus', () => {
        if (plot.matches(':focus-visible')) show(plot, places.get(plot) ?? 0);
      });
    }
    window.addEventListener('scroll', follow, { passive: true });
    document.documentElement.dataset.ready = 'true';
    """#
}
