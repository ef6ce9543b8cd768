# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.

"""The end of a connection (RFC 6455 sections 5.5.1, 7): good ends, bad ends, and no end at all."""

import socket
import struct

from cases import broken, case, good
from peer import BINARY, CLOSE, PING, TEXT, close_frame, frame

HELLO = frame(TEXT, b"hello")


def ending(name, data, close, **changes):
    @good(name=name, messages=[], close=close, **changes)
    def serve(peer):
        peer.open()
        peer.send(data)
        peer.await_close()


def bad_ending(name, payload, *codes):
    @broken(*(codes or (1002,)), name=name)
    def serve(peer):
        peer.open()
        peer.wrong(frame(CLOSE, payload))


ending("close-empty", frame(CLOSE), 1005)
ending("close-1001", close_frame(1001, b"going away"), 1001)
ending("close-3000", close_frame(3000), 3000)
ending("close-4999", close_frame(4999), 4999)
ending("close-reason-123", close_frame(1000, b"x" * 123), 1000)

bad_ending("close-length-1", b"\x03")
bad_ending("close-reason-124", struct.pack("!H", 1000) + b"x" * 124)
bad_ending("close-reason-not-utf8", struct.pack("!H", 1000) + b"\xff", 1007)
for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535):
    bad_ending(f"close-{code}", struct.pack("!H", code))


@good(messages=["hello"])
def data_after_close(peer):
    peer.open()
    peer.send(HELLO + close_frame() + HELLO + frame(PING, b"late") + frame(3))
    peer.await_close()


@good(messages=["hello"])
def close_inside_a_message(peer):
    peer.open()
    peer.send(HELLO + frame(TEXT, b"never finished", fin=False) + close_frame())
    peer.await_close()


@good(messages=["hello"], within=9)
def tcp_left_open_after_close(peer):
    peer.open()
    peer.send(HELLO + close_frame())
    peer.await_close()
    peer.await_end()


@broken(1002, within=9)
def close_never_answered(peer):
    peer.open()
    peer.wrong(frame(3))
    peer.await_end()


@case(messages=["hello"], error=None, within=12)
def flood_after_close(peer):
    peer.open()
    peer.send(HELLO + close_frame())
    while True:
        peer.send(frame(BINARY, b"x" * 60000))


def cut(name, data, messages=(), reset=False):
    @case(name=name, messages=messages)
    def serve(peer):
        peer.open()
        peer.send(data)
        if reset:
            # Let the client read what came before: a reset may overtake it.
            peer.await_end(0.3)
            peer.reset()


cut("end-after-open", b"")
cut("end-between-messages", HELLO, ["hello"])
cut("end-inside-a-header", HELLO + b"\x81", ["hello"])
cut("end-inside-a-length", HELLO + b"\x82\x7f\x00\x00", ["hello"])
cut("end-inside-a-payload", HELLO + frame(TEXT, b"x" * 10, length=100), ["hello"])
cut("end-inside-a-message", HELLO + frame(TEXT, b"x", fin=False), ["hello"])
cut("end-inside-a-close", HELLO + b"\x88\x02\x03", ["hello"])
cut("reset-after-open", b"", reset=True)
cut("reset-between-messages", HELLO, ["hello"], reset=True)
cut("reset-inside-a-payload", HELLO + frame(TEXT, b"x" * 10, length=100), ["hello"], reset=True)
cut("reset-inside-a-message", HELLO + frame(TEXT, b"x", fin=False), ["hello"],
    reset=True)


@case(messages=["hello"])
def half_closed(peer):
    """The server sends no more and would go on listening."""
    peer.open()
    peer.send(HELLO)
    peer.socket.shutdown(socket.SHUT_WR)
    peer.await_end()


@broken(1002)
def reset_after_our_close(peer):
    peer.open()
    peer.wrong(frame(3))
    peer.reset()


@case(messages=["hello"], error=None)
def reset_after_its_close(peer):
    """Whether the reset overtakes the close frame is up to TCP; the message must be there."""
    peer.open()
    peer.send(HELLO)
    peer.await_end(0.3)
    peer.send(close_frame())
    peer.reset()
