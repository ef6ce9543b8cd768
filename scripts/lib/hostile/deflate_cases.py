# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.

"""permessage-deflate (RFC 7692): negotiation out of bounds, corrupt data, and bombs."""

import zlib

from cases import broken, good, refused
from peer import CONTINUATION, PING, TEXT, BINARY, frame

DEFLATE = ["--deflate"]


def compress(data, level=9):
    """One message's payload (section 7.2.1)."""
    deflater = zlib.compressobj(level, zlib.DEFLATED, -15)
    return (deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]


def agree(peer, parameters="; server_no_context_takeover"):
    peer.open(f"Sec-WebSocket-Extensions: permessage-deflate{parameters}")


def negotiation(name, *values):
    @refused(name=name, options=DEFLATE)
    def serve(peer):
        peer.open(*[f"Sec-WebSocket-Extensions: {value}" for value in values])
        peer.await_end()


negotiation("deflate-window-7", "permessage-deflate; server_max_window_bits=7")
negotiation("deflate-window-16", "permessage-deflate; server_max_window_bits=16")
negotiation("deflate-window-huge", "permessage-deflate; server_max_window_bits=999999999999999999999")
negotiation("deflate-window-zero-padded", "permessage-deflate; server_max_window_bits=08")
negotiation("deflate-window-empty", "permessage-deflate; server_max_window_bits")
negotiation("deflate-takeover-with-value", "permessage-deflate; server_no_context_takeover=1")
negotiation("deflate-unknown-parameter", "permessage-deflate; x=1")
negotiation("deflate-parameter-twice",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover")
negotiation("deflate-twice", "permessage-deflate", "permessage-deflate")
negotiation("deflate-and-another", "permessage-deflate, x-other")


@good(options=DEFLATE)
def deflate_ok(peer):
    agree(peer)
    peer.send(frame(TEXT, compress(b"hello"), rsv=4))
    peer.goodbye()


@good(options=DEFLATE)
def deflate_not_taken(peer):
    peer.open()
    peer.send(frame(TEXT, b"hello"))
    peer.goodbye()


@good(options=DEFLATE)
def deflate_in_fragments(peer):
    agree(peer)
    payload = compress(b"hello")
    peer.send(frame(TEXT, payload[:1], rsv=4, fin=False) + frame(PING)
              + frame(CONTINUATION, payload[1:], fin=False) + frame(CONTINUATION))
    peer.goodbye()


@good(options=DEFLATE, messages=["hello", "hello"])
def deflate_plain_and_compressed(peer):
    agree(peer)
    peer.send(frame(TEXT, b"hello") + frame(TEXT, compress(b"hello"), rsv=4))
    peer.goodbye()


def violation(name, data, *codes, **changes):
    @broken(*(codes or (1002,)), name=name, options=DEFLATE, **changes)
    def serve(peer):
        agree(peer)
        peer.wrong(data)


violation("deflate-rsv1-on-ping", frame(PING, b"x", rsv=4))
violation("deflate-rsv1-on-continuation",
          frame(TEXT, compress(b"a"), rsv=4, fin=False) + frame(CONTINUATION, b"", rsv=4))
violation("deflate-garbage", frame(TEXT, b"\xff\xff\xff\xff\xff", rsv=4), 1002, 1007)
violation("deflate-cut-short", frame(TEXT, compress(b"hello" * 100)[:-3], rsv=4), 1002, 1007)
violation("deflate-text-not-utf8", frame(TEXT, compress(b"a\xff"), rsv=4), 1007)
violation("deflate-far-distance", frame(TEXT, b"\x4b\x04\x62\x00\x00", rsv=4), 1002, 1007)


@broken(1009, options=DEFLATE, within=10)
def bomb_of_a_gibibyte(peer):
    """A megabyte on the wire, a gibibyte if one were to unfold it."""
    agree(peer)
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    # Flushed so that it does not lean on what came before, one mebibyte can be said 1024 times.
    packed = (deflater.compress(bytes(1 << 20)) + deflater.flush(zlib.Z_FULL_FLUSH)) * 1024
    peer.wrong(frame(BINARY, packed[:-4], rsv=4))


@broken(1009, options=DEFLATE, within=10)
def bomb_in_fragments(peer):
    agree(peer)
    piece = compress(bytes(1 << 20)) + b"\x00\x00\xff\xff"
    peer.send(frame(BINARY, piece, rsv=4, fin=False))
    for _ in range(1023):
        peer.send(frame(CONTINUATION, piece, fin=False))
    peer.await_close()


@broken(1009, options=DEFLATE, within=10)
def bomb_one_byte_over_the_limit(peer):
    agree(peer)
    peer.wrong(frame(BINARY, compress(bytes((16 << 20) + 1)), rsv=4))


@broken(1009, 1008, 1002, options=DEFLATE, within=15)
def deflate_empty_blocks_without_end(peer):
    """Blocks that unfold to nothing: only the number of fragments and of bytes grows."""
    agree(peer)
    peer.send(frame(TEXT, b"\x00\x00\x00\xff\xff", rsv=4, fin=False))
    while True:
        peer.send(frame(CONTINUATION, b"\x00\x00\x00\xff\xff", fin=False) * 10_000)
