# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.

"""Name servers that say nothing, or nothing useful."""

import shutil
import subprocess
from pathlib import Path

from cases import case, good
from handshake_cases import finish

LIBRARY = "resolver.so"


def make(folder: Path):
    """Compiles the misbehaving resolver."""
    compiler = shutil.which("clang") or "cc"
    source = Path(__file__).with_name("resolver.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / LIBRARY, source, "-ldl"], check=True)


def resolving(name, answers, decorate=good, **changes):
    @decorate(name=name, resolver=answers, **changes)
    def serve(peer):
        peer.open()
        finish(peer)


def failing(**changes):
    """No connection is made, and the handshake's own deadline of six seconds is the last."""
    return case(**{"opened": False, "check": lambda peer: "somebody connected", **changes})


resolving("resolver-answers", "none 127.0.0.1")
resolving("resolver-silent-about-ipv6", "silent 127.0.0.1")
resolving("resolver-fails-for-ipv6", "again 127.0.0.1")
resolving("resolver-never-answers", "silent silent", failing, within=6.5)
resolving("resolver-silent-about-ipv6-without-ipv4", "silent none", failing, within=6.5)
resolving("resolver-fails", "again again", failing)
resolving("resolver-knows-no-such-name", "none none", failing)
resolving("resolver-names-a-port-where-nobody-is", "none 127.0.0.77", failing)
