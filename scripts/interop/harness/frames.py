# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Server frames written by hand (RFC 6455 section 5.2), because the libraries' senders decide
about fragmentation themselves."""

import random
import struct

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


def frame(opcode: int, payload: bytes, final: bool = True) -> bytes:
    head = bytes([(0x80 if final else 0) | opcode])
    length = len(payload)
    if length < 126:
        return head + bytes([length]) + payload
    if length < 1 << 16:
        return head + struct.pack("!BH", 126, length) + payload
    return head + struct.pack("!BQ", 127, length) + payload


def message(opcode: int, payload: bytes, chance: random.Random, fragments: int) -> bytes:
    """One message in up to `fragments` frames, cut anywhere, also into empty ones; sometimes with
    a ping between two of them, which RFC 6455 section 5.4 allows."""
    cuts = sorted(chance.randint(0, len(payload)) for _ in range(chance.randint(1, fragments) - 1))
    edges = [0, *cuts, len(payload)]
    out = bytearray()
    last = len(edges) - 2
    for index in range(last + 1):
        piece = payload[edges[index] : edges[index + 1]]
        out += frame(opcode if index == 0 else 0, piece, final=index == last)
        if index != last and chance.random() < 0.05:
            out += frame(PING, b"between")
    return bytes(out)


def splits(stream: bytes, chance: random.Random, largest: int):
    """The same bytes in pieces of random size, one TLS record and one segment or more each."""
    position = 0
    while position < len(stream):
        size = chance.choice((1, 2, 3, 7, 60, 500, largest))
        yield stream[position : position + size]
        position += size
