# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.

"""Frames (RFC 6455 section 5): what may not be sent, and what would exhaust a careless client."""

from cases import broken, case, good
from peer import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_frame, frame

HELLO = frame(TEXT, b"hello")


def violation(name, data, *codes, messages=(), **changes):
    @broken(*(codes or (1002,)), name=name, messages=messages, **changes)
    def serve(peer):
        peer.open()
        peer.wrong(data)


violation("masked-frame", frame(TEXT, b"hello", mask=b"abcd"))
violation("rsv1-not-negotiated", frame(TEXT, b"hello", rsv=4))
violation("rsv2", frame(TEXT, b"hello", rsv=2))
violation("rsv3", frame(TEXT, b"hello", rsv=1))
violation("opcode-3", frame(3, b"hello"))
violation("opcode-7", frame(7))
violation("opcode-11", frame(11, b"hello"))
violation("opcode-15", frame(15))
violation("length-16-not-minimal", frame(TEXT, b"hello", width=16))
violation("length-64-not-minimal", frame(TEXT, b"x" * 126, width=64))
violation("length-64-top-bit", frame(BINARY, b"", length=1 << 63, width=64))
violation("length-64-all-bits", frame(BINARY, b"", length=(1 << 64) - 1, width=64))
violation("length-2-to-the-62", frame(BINARY, b"", length=1 << 62, width=64), 1009, 1002)
violation("length-2-to-the-40", frame(BINARY, b"", length=1 << 40, width=64), 1009, 1002)
violation("length-2-gib", frame(BINARY, b"", length=1 << 31, width=64), 1009)
violation("length-over-the-limit", frame(BINARY, b"", length=(16 << 20) + 1, width=64), 1009)
violation("ping-126", frame(PING, b"x" * 126))
violation("pong-126", frame(PONG, b"x" * 126))
violation("ping-fragmented", frame(PING, b"x", fin=False))
violation("ping-length-huge", frame(PING, b"", length=1 << 40, width=64))
violation("close-fragmented", frame(CLOSE, b"\x03\xe8", fin=False))
violation("continuation-first", frame(CONTINUATION, b"hello"))
violation("text-inside-a-message", frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"))
violation("binary-inside-a-message", frame(TEXT, b"a", fin=False) + frame(BINARY, b"b"))
violation("good-then-bad", HELLO + frame(3), messages=["hello"])
violation("bad-then-good", frame(3) + HELLO)
violation("good-bad-good", HELLO + frame(TEXT, b"x", rsv=1) + HELLO, messages=["hello"])

violation("utf8-invalid", frame(TEXT, b"a\xffb"), 1007)
violation("utf8-truncated", frame(TEXT, "€".encode()[:2]), 1007)
violation("utf8-overlong", frame(TEXT, b"\xc0\xaf"), 1007)
violation("utf8-surrogate", frame(TEXT, b"\xed\xa0\x80"), 1007)
violation("utf8-beyond-unicode", frame(TEXT, b"\xf4\x90\x80\x80"), 1007)
violation("utf8-fails-fast-inside-a-frame", frame(TEXT, b"a\xff", length=1000), 1007)
violation("utf8-invalid-over-fragments",
          frame(TEXT, b"\xe2", fin=False) + frame(CONTINUATION, b"\x28"), 1007)


@good(messages=["€"])
def utf8_split_over_fragments(peer):
    peer.open()
    pieces = "€".encode()
    peer.send(frame(TEXT, pieces[:1], fin=False) + frame(PING)
              + frame(CONTINUATION, pieces[1:2], fin=False) + frame(CONTINUATION, pieces[2:]))
    peer.goodbye()


@good(messages=[""])
def empty_message(peer):
    peer.open()
    peer.send(frame(TEXT))
    peer.goodbye()


@good(messages=["x" * 20], within=10)
def message_of_16_mib(peer):
    peer.open()
    peer.send(frame(BINARY, b"x" * (16 << 20)))
    peer.goodbye()


@broken(1009, within=10)
def message_over_16_mib_in_fragments(peer):
    peer.open()
    peer.send(frame(BINARY, b"x" * (1 << 20), fin=False))
    for _ in range(16):
        peer.send(frame(CONTINUATION, b"x" * (1 << 20), fin=False))
    peer.await_close()


@good(messages=["hello"], within=10)
def fragments_90000_empty(peer):
    peer.open()
    peer.send(frame(TEXT, b"hel", fin=False))
    peer.send(frame(CONTINUATION, fin=False) * 90_000)
    peer.send(frame(CONTINUATION, b"lo"))
    peer.goodbye()


@broken(1009, 1008, 1002, within=15)
def fragments_a_million_empty(peer):
    peer.open()
    peer.send(frame(TEXT, b"hel", fin=False))
    peer.send(frame(CONTINUATION, fin=False) * 1_000_000)
    peer.await_close()


@broken(1009, 1008, 1002, within=15)
def fragments_without_end(peer):
    peer.open()
    peer.send(frame(BINARY, b"a", fin=False))
    while True:
        peer.send(frame(CONTINUATION, b"a", fin=False) * 10_000)


def pongs(peer):
    return None if peer.pongs >= 1 else "no ping was answered"


@good(messages=["hello"], within=20, check=pongs)
def a_million_pings(peer):
    peer.open()
    peer.send(frame(PING, b"x" * 10) * 1_000_000)
    peer.send(HELLO)
    peer.goodbye()


@good(messages=["hello"], within=10)
def a_million_pongs(peer):
    peer.open()
    peer.send(frame(PONG, b"x" * 10) * 1_000_000)
    peer.send(HELLO)
    peer.goodbye()


@case(within=12)
def pings_without_end(peer):
    """Nobody reads the pongs: what the client owes must not pile up."""
    peer.open()
    while True:
        peer.send(frame(PING, b"x" * 125) * 1000)


@case(messages=None, within=12)
def empty_messages_without_end(peer):
    peer.open()
    while True:
        peer.send(frame(BINARY) * 10_000)


@case(within=12)
def one_byte_per_second(peer):
    peer.open()
    peer.drip(frame(TEXT, b"x" * 100), pause=1.0)


@case(within=12)
def silence(peer):
    peer.open()
    peer.await_end()


@broken(1002, within=12)
def flood_after_a_violation(peer):
    """The client's goodbye must not wait for a peer that never stops."""
    peer.open()
    peer.send(frame(3))
    while True:
        peer.send(b"\x82\x7e\xff\xff" + b"x" * 65535)
