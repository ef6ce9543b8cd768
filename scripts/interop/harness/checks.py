# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""A list of conditions, printed as a table; the exit code says whether all of them held."""

import sys


class Checks:
    """Collects named conditions and prints each one as it is decided."""

    def __init__(self, title: str):
        self.passed = 0
        self.failed = 0
        print(f"== {title}", flush=True)

    def that(self, name: str, holds: bool, detail: object = "") -> bool:
        self.passed += bool(holds)
        self.failed += not holds
        word = "ok    " if holds else "FAILED"
        print(f"{word}  {name:<58} {detail}".rstrip(), flush=True)
        return bool(holds)

    def none(self, name: str, problems: list, total: object = "") -> bool:
        """Holds when the list of problems is empty; prints the first few otherwise."""
        detail = total if not problems else f"{len(problems)} problems"
        holds = self.that(name, not problems, detail)
        for problem in problems[:5]:
            print(f"          {str(problem)[:600]}", flush=True)
        return holds

    def finish(self) -> None:
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed else 0)
