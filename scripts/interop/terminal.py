# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""stream, record and top in a real terminal."""

import argparse
import csv
import html
import io
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.checks import Checks
from harness.tmux import Timeout, Tmux

SIZES = [(60, 20), (80, 24), (100, 30), (132, 43), (160, 50), (200, 60)]
FEW = "AAPL MSFT EUR.USD SPX ESZ6@CME"
MANY = " ".join(
    ["AAPL MSFT AMZN GOOG TSLA NVDA META WMT IBM INTC AMD SPX NDX SPY QQQ VIX",
     "EUR.USD GBP.USD USD.JPY USD.CHF AUD.USD ESZ6@CME SAN@BM SAN@SBF 'BRK B'"]
    + [f"AAPL261218C00{strike}000" for strike in range(240, 295, 5)])
COUNT = 36
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SGR = re.compile(r"\x1b\[([0-9;]*)m")


class Bench:
    """What all trials share."""

    def __init__(self, ibkr: str, checks: Checks, screens: Path | None, only: str):
        self.only = re.compile(only)
        self.ibkr = Path(ibkr).resolve()
        self.checks = checks
        self.screens = screens
        self.trials = []
        if screens:
            screens.mkdir(parents=True, exist_ok=True)

    def keep(self, name: str, terminal: Tmux) -> None:
        if self.screens:
            (self.screens / f"{name}.txt").write_text(terminal.screen())
            (self.screens / f"{name}.ansi").write_text(terminal.screen(colours=True))

    def trial(self, name: str, run, columns: int = 100, lines: int = 24, **variables) -> None:
        """Plans a trial in a terminal of its own; `run` says what is wrong, nothing if all is well."""
        if self.only.search(name):
            self.trials.append((name, run, columns, lines, variables))

    def play(self) -> None:
        """Plays what is planned, some at a time: they wait more than they work."""
        def one(trial) -> str:
            _, run, columns, lines, variables = trial
            try:
                with Tmux(columns, lines, variables) as terminal:
                    return run(terminal)
            except Timeout as error:
                return "the screen was:\n" + "\n".join(str(error).rstrip().splitlines()[-12:])
            except Exception as error:  # a trial that breaks is a miss, and the others go on
                return repr(error)

        with ThreadPoolExecutor(4) as pool:
            for (name, *_), problem in zip(self.trials, pool.map(one, self.trials)):
                self.checks.that(name, not problem, problem or "")
        self.trials = []


def is_table(screen: str) -> bool:
    """Whether the live table is there, with everything streaming."""
    lines = screen.splitlines()
    return lines[0].startswith("SYMBOL") and "● LIVE" in lines[-1] and re.search(r"\d × ", screen) is not None


def fits(screen: str, columns: int, lines: int) -> str:
    rows = screen.rstrip("\n").split("\n")
    if len(rows) != lines:
        return f"{len(rows)} lines instead of {lines}"
    wide = [row for row in rows if len(row) > columns]
    return f"a line is too long: {wide[0]}" if wide else ""


def stream_sizes(bench: Bench, sizes) -> None:
    def at(columns, lines):
        def run(terminal: Tmux) -> str:
            terminal.type(f"{bench.ibkr} stream {MANY} --simulate")
            screen = terminal.until(is_table)
            bench.keep(f"stream-{columns}x{lines}", terminal)
            problem = fits(screen, columns, lines)
            rows = screen.splitlines()
            if COUNT > lines - 3 and not any(re.match(r"… \d+ more", row) for row in rows):
                problem = problem or "nothing says that there are more"
            if f"{COUNT}/{COUNT} sub" not in rows[-1] or not rows[-1].endswith("q quit"):
                problem = problem or f"the last line is: {rows[-1]}"
            wanted = ["LAST", "BID × "] + (["AGE", "%"] if columns >= 80 else [])
            wanted += ["VOLUME", "TREND", "CHANGE", "HIGH"] if columns >= 160 else []
            missing = [head for head in wanted if head not in rows[0]]
            if missing:
                problem = problem or f"no column {missing} in: {rows[0]}"
            if columns == 60 and "VOLUME" in rows[0]:
                problem = problem or "a column too many"
            if COUNT > lines - 3:
                terminal.key("End")
                terminal.until(lambda screen: "0 more" in screen and "above" in screen, 5)
                terminal.key("Home")
                terminal.until(lambda screen: screen.splitlines()[1].startswith("AAPL "), 5)
                terminal.key("PageDown")
                terminal.until(lambda screen: not screen.splitlines()[1].startswith("AAPL "), 5)
                terminal.key("Up")
            terminal.key("q")
            terminal.prompt()
            return problem or terminal.restored()
        return run

    for columns, lines in sizes:
        bench.trial(f"stream at {columns}×{lines}: fits, scrolls, q restores", at(columns, lines), columns, lines)


def stream_resized(bench: Bench) -> None:
    def run(terminal: Tmux) -> str:
        terminal.type(f"{bench.ibkr} stream {MANY} --simulate")
        terminal.until(is_table)
        for columns, lines in [(60, 20), (200, 60), (100, 24), (132, 43)]:
            terminal.resize(columns, lines)
            terminal.until(
                lambda screen: is_table(screen) and not fits(screen, columns, lines)
                and any("more" in row for row in screen.splitlines()) == (COUNT > lines - 3), 5)
        bench.keep("stream-resized", terminal)
        terminal.key("q")
        terminal.prompt()
        return terminal.restored()

    bench.trial("stream while the terminal is resized", run)


def stream_looks(bench: Bench) -> None:
    def colours(terminal: Tmux, options: str, name: str) -> set[str]:
        """All that has been used within some frames: a change flashes for a moment only."""
        seen: set[str] = set()
        terminal.type(f"{bench.ibkr} stream {MANY} --simulate {options}")
        terminal.until(is_table)
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            seen |= set(SGR.findall(terminal.screen(colours=True)))
            if any("42" in code for code in seen) and any("41" in code for code in seen):
                break
            time.sleep(0.1)
        bench.keep(f"stream-{name}", terminal)
        terminal.key("q")
        terminal.prompt()
        return seen

    def coloured(terminal: Tmux) -> str:
        seen = colours(terminal, "", "coloured")
        flashes = [code for code in seen if "42" in code or "41" in code]
        return "" if flashes and any("32" in code for code in seen) else f"only {sorted(seen)}"

    def plain(options: str, name: str):
        def run(terminal: Tmux) -> str:
            seen = colours(terminal, options, name) - {"", "0"}
            return f"there is {sorted(seen)}" if seen else ""
        return run

    bench.trial("colours: a row flashes when it changes", coloured, 120, 40)
    bench.trial("NO_COLOR: none", plain("", "no-color"), 120, 40, NO_COLOR="1")
    bench.trial("NO_COLOR before CLICOLOR_FORCE: none", plain("", "no-color-forced"), 120, 40, NO_COLOR="1",
                CLICOLOR_FORCE="1")
    bench.trial("--no-color: none", plain("--no-color", "no-color-option"), 120, 40)

    def dumb(terminal: Tmux) -> str:
        log = terminal.folder / "bytes"
        terminal.type("export TERM=dumb; clear")
        terminal.bytes_into(log)
        terminal.type(f"{bench.ibkr} stream {FEW} --simulate -q -c 30")
        terminal.until(lambda screen: "time (UTC)" in screen)
        terminal.prompt()
        bench.keep("stream-dumb", terminal)
        written = log.read_bytes()
        if b"\x1b[" in written.split(b"-c 30", 1)[1].replace(b"\x1b[?2004", b""):
            return "there are control sequences"
        return "" if b"AAPL" in written else "there is no quote"

    bench.trial("TERM=dumb: a line for each quote, no control sequence", dumb)

    def frames(terminal: Tmux) -> str:
        log = terminal.folder / "bytes"
        terminal.bytes_into(log)
        terminal.type(f"{bench.ibkr} stream {FEW} --simulate --duration 6s")
        terminal.until(is_table)
        started = time.monotonic()
        terminal.prompt()
        seconds = time.monotonic() - started
        written = log.read_bytes()
        count = written.count(b"\x1b[?2026h")
        if written.count(b"\x1b[2J") > 2:
            return "the screen is erased between frames"
        if not 3 <= count <= 20 * seconds + 20:
            return f"{count} frames in {seconds:.1f} s"
        return terminal.restored()

    bench.trial("at most 20 frames a second, each in one piece, never erased", frames)


def stream_pipes(bench: Bench) -> None:
    def piped(*options: str) -> subprocess.CompletedProcess:
        return subprocess.run([bench.ibkr, "stream", "AAPL", "--simulate", *options], capture_output=True,
                              timeout=60, stdin=subprocess.DEVNULL)

    done = piped("-c", "5")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    bench.checks.that("a pipe: NDJSON", done.returncode == 0 and len(rows) == 5
                      and all(row["symbol"] == "AAPL" for row in rows) and b"\x1b" not in done.stderr)
    done = piped("-c", "5", "--csv")
    table = list(csv.reader(io.StringIO(done.stdout.decode(), newline="")))
    bench.checks.that("--csv: a head and five records of its width, CRLF",
                      len(table) == 6 and all(len(row) == len(table[0]) for row in table)
                      and table[0][:3] == ["v", "run", "seq"] and done.stdout.count(b"\r\n") == 6)
    done = piped("-c", "8", "--raw")
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    bench.checks.that("--raw: the server's messages", len(messages) == 8
                      and any(message.get("topic") == "smd+265598" for message in messages))
    done = piped("-c", "5", "--table", "-q")
    bench.checks.that("--table in a pipe: lines without control sequences",
                      done.stdout.startswith(b"time (UTC)") and b"\x1b" not in done.stdout
                      and len(done.stdout.splitlines()) >= 6)


def stream_fields(bench: Bench) -> None:
    def run(terminal: Tmux) -> str:
        terminal.type(f"{bench.ibkr} stream AAPL --simulate --fields last_price,84,ask_price,7051,55")
        screen = terminal.until(is_table)
        terminal.key("q")
        terminal.prompt()
        head = screen.splitlines()[0]
        missing = [name for name in ("LAST", "BID × ", "COMPANY_NAME") if name not in head]
        return f"no {missing} in: {head}" if missing or "VOLUME" in head else terminal.restored()

    bench.trial("--fields by name and number: these columns and no others", run, 120)


def stream_ends(bench: Bench) -> None:
    def ended_by(end, code: int | None, command: str = "stream AAPL MSFT --simulate"):
        def run(terminal: Tmux) -> str:
            terminal.type(f"{bench.ibkr} {command}; echo CODE=$?")
            terminal.until(is_table)
            end(terminal)
            screen = terminal.until(lambda screen: "CODE=" in screen and screen.rstrip().endswith("READY$"), 30)
            found = int(re.findall(r"CODE=(\d+)", screen)[-1])
            if code is not None and found != code:
                return f"the code is {found} instead of {code}\n{screen}"
            if terminal.restored():
                return terminal.restored()
            # What is typed is seen again.
            terminal.type("echo se''en")
            terminal.until(lambda screen: "echo se''en" in screen and "\nseen" in screen, 5)
            return ""
        return run

    def kill(*numbers):
        def end(terminal: Tmux):
            child = terminal.child()
            for number in numbers:
                os.kill(child, number)
        return end

    bench.trial("Ctrl-C", ended_by(lambda terminal: terminal.key("C-c"), 0))
    bench.trial("SIGTERM", ended_by(kill(signal.SIGTERM), 0))
    bench.trial("SIGTERM twice: at once", ended_by(kill(signal.SIGTERM, signal.SIGTERM), None))
    bench.trial("--duration", ended_by(lambda _: None, 0, "stream AAPL MSFT --simulate --duration 4s"))
    bench.trial("-c 20", ended_by(lambda _: None, 0, "stream AAPL MSFT --simulate -c 20"))
    bench.trial("a crash (SIGSEGV)", ended_by(kill(signal.SIGSEGV), 139))
    bench.trial("a crash (SIGILL)", ended_by(kill(signal.SIGILL), 132))

    def failing(terminal: Tmux) -> str:
        ca, out = terminal.folder / "ca.pem", terminal.folder / "out"
        with open(out, "w") as file:
            gateway = subprocess.Popen([bench.ibkr, "simulate", "--ca-out", ca], stdout=file,
                                       stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 20
            while "listening" not in out.read_text() and time.monotonic() < deadline:
                time.sleep(0.05)
            url = out.read_text().split()[1]
            run = ended_by(lambda _: gateway.kill(), 4,
                           f"stream AAPL --gateway {url} --ca {ca} --max-outage 2s")
            return run(terminal)
        finally:
            gateway.kill()
            gateway.wait()

    bench.trial("an error: the gateway is gone for --max-outage", failing)

    def lost(terminal: Tmux) -> str:
        """The terminal takes nothing any more: the end comes all the same."""
        terminal.type(f"{bench.ibkr} stream {MANY} --simulate")
        terminal.until(is_table)
        child, server = terminal.child(), terminal.server
        os.kill(server, signal.SIGSTOP)
        try:
            time.sleep(3)  # frames pile up in the terminal's queue meanwhile, and nowhere else
            os.kill(child, signal.SIGTERM)
            deadline = time.monotonic() + 10
            while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            ended = not Path(f"/proc/{child}").exists()
        finally:
            os.kill(server, signal.SIGCONT)
        if not ended:
            return "it does not end"
        terminal.prompt()
        return terminal.restored()

    bench.trial("SIGTERM while the terminal takes nothing", lost)


def stream_stopped(bench: Bench) -> None:
    def run(terminal: Tmux) -> str:
        terminal.type(f"{bench.ibkr} stream {FEW} --simulate")
        terminal.until(is_table)
        for _ in range(2):
            terminal.key("C-z")
            terminal.until(lambda screen: "Stopped" in screen and screen.rstrip().endswith("READY$"))
            problem = terminal.restored()
            if problem:
                return f"while it is stopped: {problem}"
            bench.keep("stream-stopped", terminal)
            terminal.type("fg")
            terminal.until(is_table)
        terminal.key("C-z")
        terminal.until(lambda screen: screen.rstrip().endswith("READY$"))
        # In the background it leaves the terminal to the shell.
        terminal.type("bg; echo here")
        terminal.until(lambda screen: re.search(r"^here$", screen, re.M) is not None)
        if terminal.show("alternate_on") != "0":
            return "it draws in the background"
        terminal.type("fg")
        terminal.until(is_table)
        # Stopped without a word, and continued: everything is drawn anew.
        child = terminal.child()
        os.kill(child, signal.SIGSTOP)
        terminal.until(lambda screen: "Stopped" in screen)
        terminal.type("fg")
        terminal.until(is_table)
        terminal.key("q")
        terminal.prompt()
        return terminal.restored()

    bench.trial("Ctrl-Z and fg, bg, SIGSTOP and SIGCONT", run)


def record(bench: Bench, sizes) -> None:
    status = re.compile(r"^● LIVE (\d+)/\1 sub  ", re.M)

    def at(columns, lines):
        def run(terminal: Tmux) -> str:
            data = terminal.folder / "data"
            terminal.type(f"{bench.ibkr} record {FEW} --simulate -o {data}; echo CODE=$?")
            screen = terminal.until(lambda screen: re.search(r"● LIVE +5/5 sub.*rec/s", screen) is not None)
            wanted = ["rec/s", "lag"] + (["B/min", "left)", "gaps 0", "next renewal"] if columns >= 120 else [])
            screen = terminal.until(
                lambda screen: all(word in screen.rstrip().splitlines()[-1] for word in wanted))
            line = screen.rstrip().splitlines()[-1]
            bench.keep(f"record-{columns}x{lines}", terminal)
            if len(line) >= columns:
                return "the line is too long"
            # Log lines stand above it, whole.
            if not re.search(r"^20\S+Z info: smd\+", screen, re.M):
                return f"no log above it:\n{screen}"
            terminal.key("C-c")
            screen = terminal.until(lambda screen: "CODE=" in screen and screen.rstrip().endswith("READY$"))
            if "CODE=0" not in screen or "LIVE" in screen.rstrip().splitlines()[-2]:
                return f"the end is:\n{screen}"
            return terminal.restored()
        return run

    for columns, lines in sizes:
        bench.trial(f"record at {columns}×{lines}: one line, the log above it", at(columns, lines), columns, lines)

    def stopped(terminal: Tmux) -> str:
        data = terminal.folder / "data"
        terminal.type(f"{bench.ibkr} record AAPL --simulate -o {data}")
        terminal.until(lambda screen: "● LIVE" in screen)
        terminal.key("C-z")
        screen = terminal.until(lambda screen: "Stopped" in screen and screen.rstrip().endswith("READY$"))
        if "● LIVE" in screen.splitlines()[-1]:
            return "the line stays while it is stopped"
        terminal.type("fg")
        terminal.until(lambda screen: "● " in screen.rstrip().splitlines()[-1])
        terminal.resize(60, 20)
        terminal.until(lambda screen: "● " in screen.rstrip().splitlines()[-1])
        os.kill(terminal.child(), signal.SIGTERM)
        terminal.prompt()
        return terminal.restored()

    bench.trial("record: Ctrl-Z, fg, resize, SIGTERM", stopped)

    def quiet(terminal: Tmux) -> str:
        data = terminal.folder / "data"
        terminal.type(f"clear; {bench.ibkr} record AAPL --simulate -o {data} -q --duration 3s; echo CODE=$?")
        screen = terminal.until(lambda screen: "CODE=0" in screen)
        rest = [line for line in screen.splitlines() if line.strip() and "record" not in line
                and "CODE" not in line and "READY" not in line and "duration" not in line]
        return f"it says {rest}" if rest else ""

    bench.trial("record -q: nothing", quiet, 200)

    def budget(terminal: Tmux) -> str:
        data = terminal.folder / "data"
        terminal.type(f"{bench.ibkr} record {MANY} --simulate -o {data} --dry-run; echo CODE=$?")
        screen = terminal.until(lambda screen: re.search(r"CODE=\d", screen) is not None, 30)
        bench.keep("record-dry-run", terminal)
        if data.exists():
            return "something was written"
        words = [f"{COUNT} of 100", "in a day", "such days", "CODE=0"]
        missing = [word for word in words if word not in screen]
        return f"no {missing} in:\n{screen}" if missing else ""

    bench.trial("record --dry-run: the budget, nothing written", budget, 160, 60)


def top(bench: Bench, sizes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with open(log, "w") as file:
            command = [bench.ibkr, "record", *MANY.replace("'", "").replace("BRK B", "").split(), "--simulate",
                       "-o", f"{folder}/data", "--metrics", "127.0.0.1:0"]
            recorder = subprocess.Popen(command, stderr=file, stdin=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 30
            while log.read_text().count(" streams") < COUNT - 1 and time.monotonic() < deadline:
                time.sleep(0.05)
            url = re.search(r"http://[\d.:]+", log.read_text()).group()

            def is_top(screen: str) -> bool:
                return "● HEALTHY" in screen and "msg/s" in screen and "SUBSCRIPTION" in screen

            def at(columns, lines):
                def run(terminal: Tmux) -> str:
                    terminal.type(f"{bench.ibkr} top --url {url}")
                    screen = terminal.until(is_top)
                    bench.keep(f"top-{columns}x{lines}", terminal)
                    problem = fits(screen, columns, lines)
                    for word in ("session ready", "35/35 sub", "written", "gaps", "AAPL", "q quit"):
                        if word not in screen:
                            problem = problem or f"no '{word}'"
                    terminal.resize(columns + 20, lines + 5)
                    terminal.until(lambda screen: is_top(screen) and not fits(screen, columns + 20, lines + 5), 5)
                    terminal.key("C-z")
                    terminal.until(lambda screen: "Stopped" in screen)
                    terminal.type("fg")
                    terminal.until(is_top)
                    terminal.key("End")
                    terminal.until(lambda screen: "0 more" in screen or lines + 5 > COUNT + 9, 5)
                    terminal.key("q")
                    terminal.prompt()
                    return problem or terminal.restored()
                return run

            for columns, lines in sizes:
                bench.trial(f"top at {columns}×{lines}: fits, resizes, stops, q restores", at(columns, lines),
                            columns, lines)
            done = subprocess.run([bench.ibkr, "top", "--url", url], capture_output=True, text=True, timeout=20)
            bench.checks.that("top in a pipe: once, plain", done.returncode == 0 and "AAPL" in done.stdout
                              and "\x1b" not in done.stdout and done.stdout.count("HEALTHY") == 1)
            done = subprocess.run([bench.ibkr, "top", "--url", url, "--json", "-c", "2"], capture_output=True,
                                  text=True, timeout=20)
            answers = [json.loads(line) for line in done.stdout.splitlines()]
            bench.checks.that("top --json -c 2: two answers, more in the second", len(answers) == 2
                              and answers[1]["messages"] > answers[0]["messages"])

            def gone(terminal: Tmux) -> str:
                terminal.type(f"{bench.ibkr} top --url {url}")
                terminal.until(is_top)
                recorder.send_signal(signal.SIGTERM)
                recorder.wait(30)
                terminal.until(lambda screen: "no recorder answers" in screen)
                bench.keep("top-recorder-gone", terminal)
                terminal.key("C-c")
                terminal.prompt()
                return terminal.restored()

            bench.play()
            bench.trial("top: the recorder ends meanwhile", gone)
            bench.play()
        finally:
            recorder.kill()
            recorder.wait()
        done = subprocess.run([bench.ibkr, "top", "--url", url], capture_output=True, text=True, timeout=20)
        bench.checks.that("top without a recorder: code 4, and what to type", done.returncode == 4
                          and "no recorder answers" in done.stderr and "--metrics" in done.stderr)


def pictures(screens: Path) -> None:
    """Draws the screens, where there is a browser for it."""
    browser = shutil.which("chromium-headless-shell")
    if not browser:
        return
    colours = {"31": "#e05252", "32": "#4fb36b", "33": "#d8a83a", "30": "#101418", "37": "#f4f4f4"}
    grounds = {"41": "#b03030", "42": "#4fb36b"}
    for path in sorted(screens.glob("*.ansi")):
        text, style, out = path.read_text(), {}, ""
        for part in re.split(r"(\x1b\[[0-9;]*m)", text):
            codes = SGR.fullmatch(part)
            if not codes:
                css = ";".join(f"{key}:{value}" for key, value in style.items())
                out += f'<span style="{css}">{html.escape(part)}</span>'
                continue
            for code in codes.group(1).split(";"):
                if code in ("", "0"):
                    style = {}
                elif code == "1":
                    style["font-weight"] = "bold"
                elif code == "2":
                    style["opacity"] = "0.6"
                elif code in colours:
                    style["color"] = colours[code]
                elif code in grounds:
                    style["background"] = grounds[code]
                elif code == "7":
                    style.update({"background": "#d8dde3", "color": "#101418"})
        rows = COLOUR.sub("", text).rstrip("\n").split("\n")
        width = max(max(map(len, rows)) * 8 + 24, 300)
        page = path.with_suffix(".html")
        page.write_text('<meta charset="utf-8"><body style="margin:12px;background:#101418;color:#d8dde3">'
                        f'<pre style="margin:0;font:13px/17px \'DejaVu Sans Mono\',monospace">{out}</pre>')
        subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                        f"--window-size={width},{len(rows) * 17 + 30}", f"--screenshot={path.with_suffix('.png')}",
                        page.resolve().as_uri()], capture_output=True, timeout=60)
        page.unlink()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ibkr", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--screens", type=Path)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    checks = Checks("the commands in a terminal")
    bench = Bench(arguments.ibkr, checks, arguments.screens, arguments.only)
    sizes = [SIZES[0], SIZES[-1]] if arguments.quick else SIZES
    stream_sizes(bench, sizes)
    stream_resized(bench)
    stream_looks(bench)
    stream_pipes(bench)
    stream_fields(bench)
    stream_ends(bench)
    stream_stopped(bench)
    record(bench, sizes)
    bench.play()
    top(bench, sizes)
    if arguments.screens:
        pictures(arguments.screens)
    checks.finish()


if __name__ == "__main__":
    main()
