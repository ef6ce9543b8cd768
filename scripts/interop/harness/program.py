# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Runs `ibkr` as a child: time-bounded, output kept, never left behind."""

import asyncio
import os
import signal
import tempfile
from pathlib import Path


# What one test has looked up is no concern of another, nor of the caller's.
CACHE = tempfile.TemporaryDirectory()


class Program:
    """`async with Program(ibkr, "record", …) as p`: killed at the end if it still runs."""

    def __init__(self, executable, *arguments, environment=None, directory=None):
        self._directory = directory
        self.command = [str(executable), *map(str, arguments)]
        # Nothing of the caller's own set-up may reach the program under test.
        self._environment = {
            key: value for key, value in os.environ.items()
            if not key.startswith(("IBIND_", "IBKR_")) and not key.lower().endswith("_proxy")
        } | {"XDG_CACHE_HOME": CACHE.name, "XDG_CONFIG_HOME": CACHE.name} | (environment or {})

    async def __aenter__(self):
        self._stderr = tempfile.TemporaryFile()
        self.process = await asyncio.create_subprocess_exec(
            *self.command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=self._stderr, env=self._environment,
            cwd=self._directory, start_new_session=True, limit=1 << 26,
        )
        return self

    async def __aexit__(self, *_):
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        self._stderr.close()

    @property
    def running(self) -> bool:
        return self.process.returncode is None

    def errors(self) -> str:
        self._stderr.flush()
        return os.pread(self._stderr.fileno(), 1 << 20, 0).decode(errors="replace")

    async def line(self, seconds: float = 30) -> str:
        """The next line of its stdout."""
        data = await asyncio.wait_for(self.process.stdout.readline(), seconds)
        return data.decode().rstrip("\n")

    async def wait(self, seconds: float) -> int | None:
        """Its exit code, or None when it did not end in time."""
        try:
            return await asyncio.wait_for(self.process.wait(), seconds)
        except asyncio.TimeoutError:
            return None

    async def stop(self, seconds: float = 15, number=signal.SIGINT) -> int | None:
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.wait(seconds)

    def memory(self) -> float:
        """Its largest resident size so far, in MB."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return 0
        return next((int(l.split()[1]) / 1024 for l in status.splitlines() if l.startswith("VmHWM")), 0)
