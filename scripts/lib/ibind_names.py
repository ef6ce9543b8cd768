# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Looks for every public name of the ibind package that is installed in the tables of NamesOfIBind.md:
what it exports, the members and arguments of its two clients, and the variables that it reads."""

import inspect
import re
import sys
from pathlib import Path

import ibind

root = Path(__file__).resolve().parents[2]
article = (root / "Sources/IBKR/IBKR.docc/NamesOfIBind.md").read_text()
rows = [line.split("|")[1:3] for line in article.splitlines() if line.startswith("| `")]
written = {name for left, _ in rows for name in re.findall(r"`(\w+)`", left)}

names = {*ibind.__all__, *ibind.events.__all__, *ibind.subscriptions.__all__}
for client in (ibind.IbkrClient, ibind.IbkrWsClient):
    names |= {name for name in dir(client) if not name.startswith("_")}
    names |= set(inspect.signature(client.__init__).parameters) - {"self"}
variables = (Path(ibind.__file__).parent / "var.py").read_text()
names |= set(re.findall(r"""(?:getenv|environ\.get)\(\s*['"](IBIND_\w+)""", variables))

problems = [f"NamesOfIBind.md lacks {name}" for name in sorted(names - written)]
problems += [f"NamesOfIBind.md says nothing of{left}" for left, right in rows
             if not re.search(r"``|^ not here, |^ the same|`\S", right)]
print("\n".join(problems) if problems else f"all {len(names)} names of ibind have a place")
sys.exit(1 if problems or not names else 0)
