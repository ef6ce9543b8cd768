# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.

"""What a case is: a name, a misbehaviour, and the only outcome that is safe."""

from dataclasses import dataclass, field
from typing import Callable

CASES = []


@dataclass
class Case:
    name: str
    serve: Callable
    opened: bool  # whether the handshake may succeed
    messages: list  # the beginnings of what must be delivered, no more and no less
    error: bool  # whether an error must be reported
    close: int | None  # the close code to be reported, where that is certain
    sent: set  # the codes one of which the client's close frame must carry; empty: do not look
    within: float  # the deadline in seconds
    options: list = field(default_factory=list)
    tls: str | None = None  # the name of a server certificate; None for plain TCP
    trusted: bool = True  # whether the client is given the authority that signed it
    check: Callable | None = None  # looks at the peer afterwards; returns what is wrong
    resolver: str | None = None  # what a name server says of IPv6 and IPv4; None to ask for no name


def case(*, opened=True, messages=(), error=True, close=None, sent=(), within=3.0, options=(),
         tls=None, trusted=True, check=None, name=None, resolver=None):
    """Registers a function that serves one connection; its name is the case's."""

    def register(serve):
        CASES.append(Case(
            name=(name or serve.__name__).replace("_", "-"), serve=serve, opened=opened,
            messages=None if messages is None else list(messages), error=error, close=close,
            sent=set(sent), within=within, options=list(options), tls=tls, trusted=trusted,
            check=check, resolver=resolver))
        return serve

    return register


def good(**changes):
    """A peer that is unusual but right: refusing it would be the mistake."""
    return case(**{"error": False, "close": 1000, "messages": ["hello"], **changes})


def refused(**changes):
    """An answer that is no WebSocket handshake."""
    return case(**{"opened": False, **changes})


def broken(*codes, **changes):
    """A violation after the handshake, which the client answers with one of these codes."""
    return case(**{"sent": codes, **changes})
