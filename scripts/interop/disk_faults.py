# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""`ibkr record` on disks that fail."""

import argparse
import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from harness import ledger as ledgers
from harness import recording
from harness.checks import Checks
from harness.program import Program

SYMBOLS = ["AAPL", "MSFT"]


class Disk:
    """Where a recorder writes, and what can be done to it."""

    def __init__(self, folder: Path, library: str):
        self.data = folder / "disk" / "data"
        self.faults = folder / "faults"
        self.data.parent.mkdir()
        self.faults.mkdir()
        self.environment = {"LD_PRELOAD": library, "FAULTY_DISK": str(self.data),
                            "DISK_FAULTS": str(self.faults)}
        self.recorder: Program | None = None

    def fail(self, name: str):
        (self.faults / name).touch()

    def heal(self, name: str):
        (self.faults / name).unlink(missing_ok=True)

    def limit_files(self, size: str):
        """What `ulimit -f` does, for a program that runs."""
        subprocess.run(["prlimit", "--pid", str(self.recorder.process.pid), f"--fsize={size}:unlimited"],
                       check=True)

    def largest_file(self) -> int:
        return max((path.stat().st_size for path in self.data.rglob("*") if path.is_file()), default=0)

    def fill(self, leaving: int):
        """Leaves so many bytes free, whatever the recorder does meanwhile."""
        with open(self.data.parent / "filler", "ab", buffering=0) as file, suppress(OSError):
            while shutil.disk_usage(self.data.parent).free > leaving:
                file.write(bytes(1 << 18))

    def empty(self):
        (self.data.parent / "filler").unlink()


@contextmanager
def small_file_system(disk: Disk):
    """A file system of 64 MB below the disk's folder; says whether there is one."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk.data.parent],
                             capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", disk.data.parent], check=True)


# What happens to each disk while it is recorded onto. The recorder keeps 8,192 events and what the
# socket holds; for ten seconds more it stops reading. Longer than that is the last kind's.

async def nothing(disk: Disk):
    await asyncio.sleep(3)


async def full(disk: Disk):
    disk.fill(leaving=1 << 20)
    await asyncio.sleep(6)
    disk.empty()


async def full_for_long(disk: Disk):
    disk.fill(leaving=1 << 20)
    await asyncio.sleep(25)
    disk.empty()


async def large_files(disk: Disk):
    disk.limit_files(str(disk.largest_file() + 100_001))
    await asyncio.sleep(6)
    disk.limit_files("unlimited")


async def read_only(disk: Disk):
    disk.fail("read-only")
    await asyncio.sleep(10)
    disk.heal("read-only")


async def write_error(disk: Disk):
    for _ in range(3):
        disk.fail("eio-write")
        await asyncio.sleep(2)


async def sync_error(disk: Disk):
    for _ in range(3):
        disk.fail("eio-sync")
        await asyncio.sleep(2)


async def stalls(disk: Disk):
    for _ in range(4):
        disk.fail("stall")
        await asyncio.sleep(2.5)


KINDS = {
    "a disk that works": nothing,
    "full for 6 s, then freed": full,
    "full for 25 s, then freed": full_for_long,
    "RLIMIT_FSIZE for 6 s, then lifted": large_files,
    "read-only for 10 s": read_only,
    "EIO at a write, three times": write_error,
    "EIO at a sync, three times": sync_error,
    "2 s stalls, four times": stalls,
}
SMALL = (full, full_for_long)
UNTOLD = (nothing, stalls)  # a slow disk is no trouble to speak of


def newest(data: Path) -> int:
    """When the last record came that is in an open part of ch=raw."""
    for path in reversed(recording.parts(data, "raw")):
        if path.suffix == ".ndjson":
            with open(path, "rb") as file:
                file.seek(max(0, path.stat().st_size - (1 << 16)))
                lines = file.read().split(b"\n")
            if len(lines) > 1:
                return json.loads(lines[-2])["ts_recv"]
    return 0


async def until(condition, seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        try:
            if condition():
                return True
        except (OSError, ValueError, EOFError):
            pass  # the last line is being written, a part is being sealed
        await asyncio.sleep(0.5)
    return False


async def trial(name: str, arguments, checks: Checks):
    kind = KINDS[name]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        disk = Disk(folder, arguments.faults)
        if kind in SMALL:
            with small_file_system(disk) as mounted:
                if mounted:
                    await record(name, kind, folder, disk, arguments, checks)
                else:
                    print(f"skipped {name:<57} a small file system cannot be mounted here")
        else:
            await record(name, kind, folder, disk, arguments, checks)


async def record(name: str, kind, folder: Path, disk: Disk, arguments, checks: Checks):
    ca, ledger = folder / "ca.pem", folder / "ledger.ndjson"
    async with Program(arguments.ibkr, "simulate", "--port", 0, "--ca-out", ca, "--rate",
                       arguments.rate / len(SYMBOLS), "--ledger", ledger) as simulator:
        url = (await simulator.line()).removeprefix("listening ")
        async with Program(arguments.ibkr, "record", *SYMBOLS, "--gateway", url, "--ca", ca,
                           "-o", disk.data, "--rotate", "1MB", "--min-free", "0B",
                           environment=disk.environment) as recorder:
            disk.recorder = recorder
            began = await until(lambda: newest(disk.data) > 0, 60)
            await kind(disk)
            ended = time.time_ns()
            # Everything that waits is on disk when something is that came later.
            caught_up = await until(lambda: newest(disk.data) > ended, 120)
            code = await recorder.stop(60)
            errors = recorder.errors()
        await simulator.stop()
    async with Program(arguments.ibkr, "verify", disk.data, "--deep") as verifier:
        findings, _ = await verifier.process.communicate()
        verified = await verifier.wait(60)
    raw = recording.rows(disk.data, "raw")
    sockets = ledgers.sockets(ledger)
    problems, missing, after = ledgers.account(raw, sockets[0]) if sockets else (["nothing sent"], 0, 0)
    if len(sockets) != 1:
        problems.append(f"{len(sockets)} sockets: the connection was lost")
    if not (began and caught_up):
        problems.append("nothing more was written afterwards")
    if code != 0:
        problems.append(f"record ended with {code}")
    if verified != 0:
        problems.append(f"verify: {findings.decode()[:500]}")
    told = "tried again" in errors, "takes data again" in errors
    if kind is sync_error or kind is write_error:
        # It may have been a sealing that met it, which is tried again after ten seconds.
        told = (told[0] or "stays open for now" in errors,) * 2
    if told != ((kind not in UNTOLD),) * 2:
        problems.append(f"what it said of trouble and its end: {told}")
    if kind is full_for_long and missing == 0:
        problems.append("nothing was lost: the disk was not full for long enough")
    if kind is not full_for_long and missing:
        problems.append(f"{missing} messages are missing")
    received = len(recording.messages(raw, "in"))
    if problems:
        print(errors[-2000:])
    checks.none(name, problems, f"sent {received + missing}, recorded {received}, lost {missing}, "
                f"all declared; {after} more after the end")


async def removed(arguments, checks: Checks):
    """The one thing that does not mend itself."""
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary) / "data"
        async with Program(arguments.ibkr, "record", *SYMBOLS, "--simulate", "-o", data) as recorder:
            await until(lambda: newest(data) > 0, 60)
            await asyncio.to_thread(shutil.rmtree, data)
            code = await recorder.wait(60)
            words = recorder.errors().strip().splitlines()
        checks.that("a directory that is removed: exit code 7", code == 7, words[-1:] or "")


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ibkr", required=True)
    parser.add_argument("--faults", required=True, help="harness/disk_faults.c as a library")
    parser.add_argument("--rate", type=float, default=1000, help="messages a second, in all")
    parser.add_argument("--only", help="one kind of fault, or a part of its name")
    arguments = parser.parse_args()
    checks = Checks(f"disk faults, {arguments.rate:.0f} messages/s onto each disk")
    names = [name for name in KINDS if (arguments.only or "") in name]
    await asyncio.gather(*(trial(name, arguments, checks) for name in names))
    if not arguments.only:
        await removed(arguments, checks)
    checks.finish()


if __name__ == "__main__":
    asyncio.run(main())
