# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""A terminal that a test sees: tmux with a server of its own, one shell in it."""

import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path


class Timeout(Exception):
    """That the screen did not become what it should be; says what is on it."""


class Tmux:
    """`with Tmux(80, 24) as terminal`: a shell whose prompt is `READY$`."""

    _count = itertools.count()

    def __init__(self, columns: int, lines: int, variables: dict | None = None):
        self.size = (columns, lines)
        self.variables = variables or {}
        self.name = f"ibkr-{os.getpid()}-{next(self._count)}"

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        keep = {name: value for name, value in os.environ.items()
                if name not in ("NO_COLOR", "CLICOLOR_FORCE", "TMUX", "TERM")}
        environment = {**keep, "LC_ALL": "C.UTF-8", "HOME": self._folder.name,
                       "PS1": "READY$ ", **self.variables}
        columns, lines = self.size
        self.call("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines),
                  "bash --norc --noprofile", environment=environment)
        self.call("set-option", "-g", "status", "off")
        self.call("resize-window", "-x", str(columns), "-y", str(lines))
        # Shells do not take a prompt from outside.
        self.type("PS1='READY$ '")
        self.until(lambda screen: screen.rstrip().endswith("READY$"))
        self.type("clear")
        self.until(lambda screen: screen.strip() == "READY$")
        self.before = self.settings()
        return self

    def __exit__(self, *_):
        self.call("kill-server", check=False)
        self._folder.cleanup()

    def call(self, *words: str, environment=None, check=True) -> str:
        done = subprocess.run([shutil.which("tmux"), "-u", "-L", self.name, *words], env=environment,
                              capture_output=True, text=True, timeout=30)
        if check and done.returncode:
            raise RuntimeError(f"tmux {' '.join(words)}: {done.stderr}")
        return done.stdout

    def show(self, what: str) -> str:
        """The value of one of tmux's formats."""
        return self.call("display-message", "-p", f"#{{{what}}}").strip()

    @property
    def server(self) -> int:
        return int(self.show("pid"))

    @property
    def shell(self) -> int:
        return int(self.show("pane_pid"))

    def child(self) -> int:
        """The process that the shell runs."""
        path = Path(f"/proc/{self.shell}/task/{self.shell}/children")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            children = path.read_text().split()
            if children:
                return int(children[-1])
            time.sleep(0.02)
        raise Timeout("the shell runs nothing")

    def type(self, line: str):
        self.call("send-keys", "-l", line)
        self.call("send-keys", "Enter")

    def key(self, *names: str):
        self.call("send-keys", *names)

    def resize(self, columns: int, lines: int):
        self.size = (columns, lines)
        self.call("resize-window", "-x", str(columns), "-y", str(lines))

    def screen(self, colours: bool = False) -> str:
        return self.call("capture-pane", "-p", *(["-e"] if colours else []))

    def until(self, holds, seconds: float = 20, colours: bool = False) -> str:
        """Waits until the screen is as it should be.

        Raises `Timeout` with the screen if it does not become so.
        """
        deadline = time.monotonic() + seconds
        while True:
            screen = self.screen(colours)
            if holds(screen):
                return screen
            if time.monotonic() > deadline:
                raise Timeout(screen)
            time.sleep(0.05)

    def prompt(self, seconds: float = 20) -> str:
        """Waits for the shell."""
        return self.until(lambda screen: screen.rstrip().endswith("READY$"), seconds)

    def settings(self) -> str:
        """`stty -a`, from the terminal itself, without the size."""
        device = self.show("pane_tty")
        text = subprocess.run(["stty", "-a", "-F", device], capture_output=True, text=True).stdout
        return re.sub(r"rows \d+; columns \d+;", "", text)

    def restored(self) -> str:
        """What is not as it was before, empty if all is; waits a moment for the shell's own settings."""
        deadline = time.monotonic() + 5
        while True:
            problems = []
            if self.settings() != self.before:
                problems.append("stty differs")
            if self.show("alternate_on") != "0":
                problems.append("the alternate screen is still there")
            if self.show("cursor_flag") != "1":
                problems.append("the cursor is hidden")
            if self.show("wrap_flag") != "1":
                problems.append("lines do not wrap")
            if not problems or time.monotonic() > deadline:
                return ", ".join(problems)
            time.sleep(0.05)

    def bytes_into(self, path: Path):
        """Keeps everything that is written to the terminal from now on."""
        self.call("pipe-pane", f"cat > {path}")

    def stop_server(self):
        os.kill(self.server, signal.SIGSTOP)
