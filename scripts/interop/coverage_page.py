# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""The page of `ibkr coverage` in a real browser."""

import argparse
import asyncio
import json
import math
import subprocess
import tempfile
import urllib.parse
from collections import Counter
from pathlib import Path

from harness import recording
from harness.browser import Browser
from harness.checks import Checks
from harness.program import Program

SCREENS = [(390, False), (390, True), (1280, False), (1280, True)]

# What stands in a table of the page: a row is a list of what its cells count.
CELLS = """[...document.querySelectorAll('#%s tbody tr')].map(row => [...row.cells].map(
  cell => cell.dataset.value ?? cell.textContent))"""
# What reaches out of the screen, but for tables, which are scrolled on their own.
WIDEST = """[...document.querySelectorAll('body *')].filter(each =>
  !each.closest('.scroll, .skip') && each.getBoundingClientRect().right > innerWidth + 0.5)
  .map(each => each.tagName + '.' + each.className)"""
# Charts in which nothing is drawn though they are in sight; the others have no size.
BLANK = """[...document.querySelectorAll('.plot canvas')].filter(canvas => canvas.width &&
  !canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(x => x))
  .length"""


async def record(arguments, folder: Path) -> Path:
    """A recording with an outage in its middle."""
    data, ca, scenario = folder / "data", folder / "ca.pem", folder / "outage.ndjson"
    outage = {"after": "6s", "fault": "refuse-connections", "for": "1s"}
    scenario.write_text(json.dumps(outage) + "\n")
    async with Program(arguments.ibkr, "simulate", "--port", 0, "--ca-out", ca, "--rate", 8,
                       "--scenario", scenario, "--seed", 4) as simulator:
        url = (await simulator.line()).removeprefix("listening ")
        async with Program(arguments.ibkr, "record", "AAPL", "MSFT", "265598@ARCA", "--gateway", url,
                           "--ca", ca, "-o", data) as recorder:
            # Until the outage is over and quotes have come for some seconds after it.
            for _ in range(450):
                await asyncio.sleep(0.2)
                if is_back(data):
                    break
            if await recorder.stop() != 0:
                print(recorder.errors()[-3000:])
                raise SystemExit("the recorder failed")
    return data


def is_back(data: Path) -> bool:
    try:
        end = max((gap["ts_end"] for gap in recording.rows(data, "gap")), default=math.inf)
        return any(row["ts_recv"] > end + 3e9 for row in recording.rows(data, "quote"))
    except (OSError, ValueError):
        return False  # the last line is being written


def lines(arguments, *command) -> list[dict]:
    """What a command prints as NDJSON; `gaps` ends with 5 because there are some."""
    done = subprocess.run([arguments.ibkr, *map(str, command), "--json"], capture_output=True,
                          timeout=300)
    if done.returncode not in (0, 5):
        raise RuntimeError(done.stderr.decode())
    return [json.loads(line) for line in done.stdout.splitlines()]


def two_digits(number: int) -> int:
    unit = 10 ** max(0, len(str(number)) - 2)
    return number // unit * unit


def percentile(sorted_numbers: list[int], percent: float) -> int:
    return sorted_numbers[max(1, math.ceil(percent / 100 * len(sorted_numbers))) - 1]


async def check_numbers(arguments, browser: Browser, data: Path, checks: Checks):
    stats = [row for row in lines(arguments, "stats", data) if row["channel"] == "quote"]
    gaps = lines(arguments, "gaps", data)
    quotes = recording.rows(data, "quote")
    symbols = await browser.value(CELLS % "symbols-table")
    shown = {row[0]: row for row in symbols}
    checks.that("messages in all: those of stats", stats[0]["rows"] == len(quotes) == int(
        await browser.value("document.getElementById('messages').dataset.value")), len(quotes))
    # What a gap that nobody has seen the end of lasted, `stats` does not know.
    is_open = {symbol for gap in gaps if gap["ts_end"] is None for symbol in gap["symbols"]}
    columns = {1: "rows", 3: "ts_recv_first", 4: "ts_recv_last", 5: "gaps", 6: "gap_ns"}
    wrong = [f"{row['symbol']}: {shown.get(row['symbol'])} is not {row}" for row in stats[1:]
             if row["symbol"] not in shown
             or any(int(shown[row["symbol"]][place]) != row[column]
                    for place, column in columns.items()
                    if column != "gap_ns" or row["symbol"] not in is_open)]
    checks.none("each instrument: rows, first, last, gaps as stats says", wrong, len(stats) - 1)

    table = await browser.value(CELLS % "gaps-table") or []
    said = [[gap["reason"], str(gap["ts_start"]), str(gap["ts_end"] or "the end of the run"),
             gap["gap_id"]] for gap in gaps]
    checks.that("gaps: reason, start, end as gaps says",
                [[row[0], row[1], row[2], row[7]] for row in table] == said, len(gaps))
    if not arguments.recording:
        checks.that("there is the gap that was made", len(gaps) > 0)

    late = sorted(row["ts_recv"] - row["ts_event"] for row in quotes
                  if row["ts_event"] is not None and not row["snapshot"])
    told = [int(await browser.value(f"document.getElementById('{name}').dataset.value"))
            for name in ("p50", "p99")]
    expected = [max(0, two_digits(percentile(late, percent))) for percent in (50, 99)]
    checks.that("latency p50 and p99: those of the rows", told == expected,
                f"{told[0] / 1e6} ms, {told[1] / 1e6} ms")
    bars = await browser.value(CELLS % "latency-table")
    checks.that("latency: every message is in a bar",
                sum(int(row[1]) for row in bars) == sum(each >= 0 for each in late), len(late))


async def check_charts(browser: Browser, data: Path, checks: Checks):
    """Steps through a chart with the keyboard, as somebody does who cannot see it."""
    quotes = recording.rows(data, "quote")
    symbol = quotes[0]["symbol"]
    page = await browser.value("JSON.parse(document.getElementById('data').textContent)")
    number = next(i for i, each in enumerate(page["symbols"]) if each["name"] == symbol)
    plot = f"document.querySelector('[data-row=\"{number}\"] .plot')"
    await browser.value(f"{plot}.scrollIntoView({{block: 'center'}})")
    await browser.value(f"{plot}.focus()")
    counted = Counter((row["ts_recv"] // 1_000_000 - page["start"]) // page["width"]
                      for row in quotes if row["symbol"] == symbol)
    wrong = []
    await browser.press("Home")
    for index in range(min(page["count"], 40)):
        told = await browser.value(f"{plot}.getAttribute('aria-valuetext')")
        count = counted.get(index, 0)
        word = "no message" if not count else f"{count:,} message{'' if count == 1 else 's'}"
        if f", {word}" not in told:
            wrong.append(f"{index}: '{told}' lacks '{word}'")
        await browser.press("ArrowRight")
    checks.none("arrow keys tell each bucket's messages", wrong, min(page["count"], 40))
    await browser.press("Home")
    await browser.press("ArrowRight", shift=True)
    told = await browser.value(f"{plot}.getAttribute('aria-valuetext')")
    checks.that("Shift and an arrow go to the next gap", "gap: " in told, told)
    checks.that("the tooltip is there, and Escape takes it away",
                not await browser.value("document.getElementById('tip').hidden"))
    await browser.press("Escape")
    checks.that("… away", await browser.value("document.getElementById('tip').hidden"))


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ibkr", required=True)
    parser.add_argument("--recording", type=Path)
    parser.add_argument("--screenshots", type=Path)
    arguments = parser.parse_args()
    checks = Checks("the page of ibkr coverage")

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = arguments.recording or await record(arguments, folder)
        page = folder / "coverage.html"
        subprocess.run([arguments.ibkr, "coverage", data, "--html", page], check=True, timeout=600,
                       capture_output=True)
        print(f"          {page.stat().st_size:,} bytes")
        async with Browser() as browser:
            await browser.show(page, 1280, False)
            checks.that("the script has run to its end",
                        await browser.value("document.documentElement.dataset.ready") == "true")
            await check_numbers(arguments, browser, data, checks)
            await check_charts(browser, data, checks)
            for width, dark in SCREENS:
                mood = "dark" if dark else "light"
                await browser.show(page, width, dark)
                checks.none(f"{width} pixels, {mood}: nothing is wider than the screen",
                            await browser.value(WIDEST))
                checks.that(f"{width} pixels, {mood}: every chart in sight is drawn",
                            await browser.value(BLANK) == 0
                            and await browser.value("document.querySelectorAll('.plot canvas').length") > 0)
                if arguments.screenshots:
                    arguments.screenshots.mkdir(parents=True, exist_ok=True)
                    # A screen as high as the page, so that every chart is in sight.
                    height = await browser.value("document.documentElement.scrollHeight")
                    await browser.show(page, width, dark, min(height, 7000))
                    await browser.picture(arguments.screenshots / f"coverage-{width}-{mood}.png")
            # A policy that refuses something complains, too.
            checks.none("no error and no warning in the console", browser.complaints)
            own = {urllib.parse.unquote(url) for url in browser.requests if not url.startswith("data:")}
            checks.that("no request but for the file itself", own == {page.resolve().as_uri()},
                        f"{len(browser.requests)} times" if len(own) == 1 else own)
    checks.finish()


if __name__ == "__main__":
    asyncio.run(main())
