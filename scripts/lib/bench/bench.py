# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Ours, the physical limit and every peer in one run, interleaved; ratios are those of one round."""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from clients import Clients
from machine import Recorder, Server, Trouble, empty

# How many messages a client of its kind takes in about a second.
FAST, MIDDLE, SLOW, SLOWEST = 1_000_000, 300_000, 60_000, 10_000


class Contest:
    """Clients that do the same, round by round; the first one is what the others are measured by."""

    def __init__(self, title, entries, **load):
        self.title, self.entries, self.load = title, entries, load
        self.rounds = {name: [] for name, *_ in entries}
        self.problems = []

    def play(self, rounds, share):
        for number in range(rounds):
            for name, messages, run in self.entries:
                try:
                    found = run(max(2_000, int(messages * share)), **self.load)
                except Trouble as trouble:
                    self.problems.append(f"{self.title}: {name}: {trouble}")
                    self.rounds[name].append(None)
                    continue
                if found.lost:
                    self.problems.append(f"{self.title}: {name} lost {found.lost} of {found.wanted}")
                self.rounds[name].append(found)
            print(f"  {self.title}: round {number + 1} of {rounds}", file=sys.stderr, flush=True)

    def values(self, name, value):
        return [value(f) for f in self.rounds[name] if f]

    def ratio(self, name, value, base=None) -> float:
        """The median of a client's share of the base's figure in the same round."""
        base = base or self.entries[0][0]
        shares = [value(f) / value(b) for f, b in zip(self.rounds[name], self.rounds[base]) if f and b]
        return median(shares) if shares else float("nan")

    def table(self):
        base = self.entries[0][0]
        print(f"\n{self.title}; medians of {len(self.rounds[base])} rounds, ratios to '{base}'")
        print(f"{'':<34} {'msg/s':>10} {'best':>10} {'of it':>7} {'CPU s/M':>9} {'least':>9} {'x CPU':>7} "
              f"{'MB':>6} {'lost':>5}")
        for name, *_ in self.entries:
            found = [f for f in self.rounds[name] if f]
            if not found:
                print(f"{name:<34} failed")
                continue
            rates, costs = [f.rate for f in found], [f.cpu_per_million for f in found]
            print(f"{name:<34} {median(rates):>10,.0f} {max(rates):>10,.0f} "
                  f"{self.ratio(name, lambda f: f.rate):>7.2f} {median(costs):>9.3f} {min(costs):>9.3f} "
                  f"{self.ratio(name, lambda f: f.cpu_per_million):>7.2f} {max(f.rss for f in found):>6.0f} "
                  f"{sum(f.lost for f in found):>5}")
        for name, *_ in self.entries:
            if sealing := [f.more["sealing"] for f in self.rounds[name] if f and "sealing" in f.more]:
                print(f"{name}: sealing, SHA-256 of all lines, is not in it: {median(sealing):.3f} CPU s/M")

    def delays(self):
        print(f"\n{self.title}; medians of {len(self.rounds[self.entries[0][0]])} rounds, ms")
        print(f"{'':<34} {'p50':>9} {'p99':>9} {'p99.9':>9} {'max':>9} {'lost':>5}")
        for name, *_ in self.entries:
            found = [f for f in self.rounds[name] if f and f.more]
            if not found:
                print(f"{name:<34} failed")
                continue
            at = lambda key: median(f.more[key] for f in found) / 1e3
            print(f"{name:<34} {at('p50_us'):>9.3f} {at('p99_us'):>9.3f} {at('p999_us'):>9.3f} "
                  f"{at('max_us'):>9.3f} {sum(f.lost for f in found):>5}")

    def json(self):
        return {name: [f and vars(f) for f in found] for name, found in self.rounds.items()}


def speed(f):
    return f.rate


def cost(f):
    return f.cpu_per_million


class Bars:
    """What has to hold, and whether it does."""

    def __init__(self):
        self.rows = []

    def at_most(self, what, found, bar):
        self.rows.append((what, found, f"<= {bar:g}", found <= bar))

    def at_least(self, what, found, bar):
        self.rows.append((what, found, f">= {bar:g}", found >= bar))

    def table(self) -> int:
        print(f"\n{'bar':<70} {'found':>10} {'wanted':>10}")
        for what, found, bar, holds in self.rows:
            print(f"{what:<70} {found:>10.3f} {bar:>10}  {'met' if holds else 'MISSED'}")
        return sum(not holds for *_, holds in self.rows)


def contests(c: Clients, parts) -> dict:
    pypi = [("picows", MIDDLE), ("aiohttp", SLOW * 2), ("websockets", SLOW), ("websocket-client", SLOW)]
    all_contests = {
        "count": Contest("counting, 290 B", [
            ("C: decrypt and split", FAST, c.limit()), ("ours: count", FAST, c.counting()),
            ("Boost.Beast", MIDDLE, c.beast()),
            *((name, n, c.peer(name)) for name, n in pypi)]),
        "small": Contest("counting, 60 B", [
            ("C: decrypt and split", FAST * 2, c.limit()), ("ours: count", FAST * 2, c.counting()),
            ("Boost.Beast", FAST, c.beast()), ("picows", MIDDLE, c.peer("picows"))], size=60),
        "large": Contest("counting, 16 KiB", [
            ("C: decrypt and split", SLOW, c.limit()), ("ours: count", SLOW, c.counting()),
            ("Boost.Beast", SLOW, c.beast())], size=16384),
        "deflate": Contest("counting, 290 B, permessage-deflate (the C program takes it plain)", [
            ("C: decrypt and split", FAST, c.limit()), ("ours: count, inflated", FAST, c.counting(True))]),
        "record": Contest("recording on tmpfs", [
            ("C: append the message", FAST, c.limit("append")),
            ("C: write the lines of ch=raw", FAST, c.limit("lines")),
            ("ours: raw, --fsync never", FAST, c.record("raw")),
            ("ours: raw, --fsync 1s", FAST, c.record("raw", "1s")),
            ("ours: raw + quote, --fsync never", MIDDLE, c.record("raw,quote")),
            ("Boost.Beast, append", MIDDLE, c.beast(True)),
            ("picows, append", MIDDLE, c.peer("picows", True)),
            ("websocket-client, append", SLOW, c.peer("websocket-client", True)),
            ("IBind to a callback, no file", SLOWEST, c.ibind())]),
        "bot": Contest("typed events to a bot", [
            ("C: decrypt and split", FAST, c.limit()),
            ("ours: batches", MIDDLE, c.bot()), ("ours: single events", MIDDLE, c.bot("events")),
            ("ours: stdout, raw", MIDDLE, c.stdout("raw")), ("ours: stdout, quote", MIDDLE, c.stdout("quote")),
            ("IBind to a callback", SLOWEST, c.ibind())]),
    }
    return {k: v for k, v in all_contests.items() if k in parts}


def delays(c: Clients, rate) -> Contest:
    count = max(1_000, rate * 5)
    entries = [("C: decrypt and split", count, c.limit("latency")), ("ours: bot", count, c.bot("latency")),
               ("ours: line in the file", count, c.delay_to_file()),
               ("ours: standard output", count, c.delay_to_stdout())]
    if rate <= 1_000:
        entries.append(("IBind to a callback", count, c.ibind()))
    return Contest(f"from the server's send, at {rate:,} messages/s", entries, rate=rate)


def scale(c: Clients, rounds, share, most=1000):
    """Twenty subscriptions a second are asked for: a thousand take a while."""
    counts = [n for n in (1, 10, 100, 1000) if n <= most]
    by_count = Contest("instruments and subscribers", [
        # Many, because the first quote of each instrument costs more, and is left out of the time only.
        *((f"bot, {n} instruments", FAST, _with(c.bot(), instruments=n)) for n in counts),
        *((f"raw + quote, {n} instruments", MIDDLE, _with(c.record("raw,quote"), instruments=n))
          for n in counts if n <= 100),
        *((f"bot, {n} subscribers", MIDDLE, c.bot(subscribers=n)) for n in (4, 16))])
    by_count.play(rounds, share)
    return by_count


def _with(run, **fixed):
    return lambda messages, **load: run(messages, **{**load, **fixed})


def idle(c: Clients, seconds, instruments=100):
    """So many instruments at 2 messages/s each: what an hour of it costs; and the start."""
    data = empty(c.scratch / "data")
    rate = 2 * instruments
    with Server(c.programs, rate * seconds, instruments=instruments, rate=rate) as server:
        recorder = Recorder(c._ibkr(server, "record", instruments, "-o", data))
        first = server.subscribed.get(timeout=30)
        begun, before = recorder.begun, recorder.cpu()
        server.stream(seconds + 60)
        used, peak = recorder.cpu() - before, recorder.memory()
        recorder.stop()
    # Of a server that waits for one subscription more nothing comes.
    with Server(c.programs, 1, instruments=instruments + 1) as server:
        recorder = Recorder(c._ibkr(server, "record", instruments, "-o", empty(data)))
        server.subscribed.get(timeout=30)
        time.sleep(min(20, seconds))
        quiet = recorder.memory("VmRSS")
        recorder.stop()
    empty(data)
    return {"instruments": instruments, "cpu_per_hour": used * 3600 / seconds, "peak": peak,
            "idle": quiet, "start_ms": (first - begun) / 1e6}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True, type=Path)
    parser.add_argument("--binaries", required=True, type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="count,small,large,deflate,record,bot,delays,scale,idle")
    parser.add_argument("--quick", action="store_true", help="once, with few messages, without bars")
    parser.add_argument("--json", type=Path, help="where to write every single figure")
    arguments = parser.parse_args()
    everything = ["count", "small", "large", "deflate", "record", "bot", "delays", "scale", "idle"]
    parts = arguments.only.split(",") if arguments.only else everything
    rounds, share = (1, 0.02) if arguments.quick else (arguments.rounds, 1)
    bars, out, problems = Bars(), {}, []
    print(f"bench: {os.cpu_count()} processors, {platform.machine()}, load {os.getloadavg()[0]:.1f}, "
          f"{rounds} rounds")
    shm = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shm if shm.is_dir() else None) as scratch:
        c = Clients(arguments.programs, arguments.binaries, Path(scratch))
        if "record" in parts and not c.same_lines():
            problems.append("the C program does not write the lines that we write")
        if "bot" in parts and (lost := c.late_reader()):
            problems.append(f"a pipe whose reader came late lost {lost} lines")
        played = contests(c, parts)
        for contest in played.values():
            contest.play(rounds, share)
            contest.table()
        if "scale" in parts:
            played["scale"] = scale(c, min(rounds, 3), share, 10 if arguments.quick else 1000)
            played["scale"].table()
        if "delays" in parts:
            for rate in (1_000,) if arguments.quick else (100, 1_000, 20_000):
                played[f"delays-{rate}"] = delays(c, rate)
                played[f"delays-{rate}"].play(min(rounds, 3), 0.2 if arguments.quick else 1)
                played[f"delays-{rate}"].delays()
        still = None
        if "idle" in parts:
            still = idle(c, 3, 10) if arguments.quick else idle(c, 60)
    for name, contest in played.items():
        out[name] = contest.json()
        problems += contest.problems
    if still:
        out["idle"] = still
        print(f"\n{still['instruments']} instruments at 2 messages/s: {still['cpu_per_hour']:.1f} s of CPU an hour, at most "
              f"{still['peak']:.0f} MB; without messages {still['idle']:.0f} MB; "
              f"first subscription {still['start_ms']:.0f} ms after the start")
    if arguments.json:
        arguments.json.write_text(json.dumps(out))
    missed = 0
    if not arguments.quick:
        judge(bars, played, still)
        missed = bars.table()
    for problem in problems:
        print(f"PROBLEM {problem}")
    print(f"bench: {len(problems)} problems, {missed} bars missed")
    sys.exit(1 if problems or missed else 0)


def judge(bars: Bars, played: dict, still: dict | None):
    limit = "C: decrypt and split"
    if contest := played.get("count"):
        bars.at_most("count, 290 B: CPU of the C limit's", contest.ratio("ours: count", cost), 1.3)
        ours = median(contest.values("ours: count", speed))
        for name, *_ in contest.entries[2:]:
            bars.at_least(f"count, 290 B: messages/s of {name}'s", ours / median(contest.values(name, speed)), 1)
    if contest := played.get("small"):
        bars.at_most("count, 60 B: CPU of the C limit's", contest.ratio("ours: count", cost), 2)
    if contest := played.get("record"):
        raw, both = "ours: raw, --fsync never", "ours: raw + quote, --fsync never"
        bars.at_most("raw: CPU of the C program's that writes the same lines",
                     contest.ratio(raw, cost, "C: write the lines of ch=raw"), 1.5)
        bars.at_most("raw: CPU of the C program's that appends the message", contest.ratio(raw, cost), 2.2)
        bars.at_least("raw + quote: messages/s of the C program's that appends", contest.ratio(both, speed), 0.25)
        bars.at_least("raw + quote: messages/s of IBind's, which records nothing",
                      contest.ratio(both, speed, "IBind to a callback, no file"), 60)
        bars.at_most("record: MB at full speed", max(contest.values(both, lambda f: f.rss)), 30)
    if contest := played.get("bot"):
        bars.at_least("bot, batches: messages/s of the C limit's", contest.ratio("ours: batches", speed), 0.3)
        bars.at_least("bot, single events: messages/s", median(contest.values("ours: single events", speed)), 300_000)
        bars.at_least("bot, single events: messages/s of IBind's",
                      contest.ratio("ours: single events", speed, "IBind to a callback"), 40)
    if contest := played.get("delays-1000"):
        above = lambda name: contest_delay(contest, name, "p99_us") - contest_delay(contest, limit, "p99_us")
        bars.at_most("1,000/s: p99 to the bot above the C client's, ms", above("ours: bot"), 0.3)
        bars.at_most("1,000/s: p99 to the file above the C client's, ms", above("ours: line in the file"), 2)
    if contest := played.get("delays-20000"):
        bars.at_most("20,000/s: p99.9 to the bot, ms", contest_delay(contest, "ours: bot", "p999_us"), 10)
    if contest := played.get("scale"):
        bars.at_most("1,000 instruments: CPU of one's, per message",
                     contest.ratio("bot, 1000 instruments", cost, "bot, 1 instruments"), 1.1)
    if still:
        bars.at_most("an hour of 100 instruments: CPU s", still["cpu_per_hour"], 5)
        bars.at_most("an hour of 100 instruments: MB", still["peak"], 30)
        bars.at_most("idle: MB", still["idle"], 20)


def contest_delay(contest: Contest, name: str, key: str) -> float:
    found = [f.more[key] for f in contest.rounds[name] if f and f.more]
    return median(found) / 1e3 if found else float("inf")


if __name__ == "__main__":
    main()
