# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.

"""TLS: certificates that must not be accepted, and ends that TLS alone can tell apart."""

from cases import case, good, refused
from handshake_cases import finish
from peer import TEXT, close_frame, frame

HELLO = frame(TEXT, b"hello")


@good(tls="good")
def tls_ok(peer):
    peer.open()
    finish(peer)


@good(tls="good")
def tls_bytewise_records(peer):
    peer.read_head()
    peer.drip(peer.answer() + HELLO + close_frame())
    peer.await_close()


@good(tls="good", messages=["x" * 20], within=10)
def tls_message_of_16_mib(peer):
    peer.open()
    peer.send(frame(TEXT, b"x" * (16 << 20)))
    peer.goodbye()


@good(tls="good")
def tls_close_without_close_notify(peer):
    """After the WebSocket close the TLS goodbye says nothing new."""
    peer.open()
    peer.send(HELLO + close_frame())
    peer.await_close()
    peer.drop()


@case(tls="good", messages=["hello"])
def tls_truncated(peer):
    """FIN without close_notify: anybody on the way can do that."""
    peer.open()
    peer.send(HELLO)
    peer.drop()


@case(tls="good", messages=["hello"])
def tls_truncated_inside_a_payload(peer):
    peer.open()
    peer.send(HELLO + frame(TEXT, b"x" * 10, length=100))
    peer.drop()


@case(tls="good", messages=["hello"])
def tls_closed_without_close_frame(peer):
    peer.open()
    peer.send(HELLO)
    peer.socket.unwrap()


@case(tls="good", messages=["hello"])
def tls_reset(peer):
    peer.open()
    peer.send(HELLO)
    peer.await_end(0.3)
    peer.reset()


def certificate(name, server, trusted=True):
    @refused(name=name, tls=server, trusted=trusted)
    def serve(peer):
        peer.open()
        finish(peer)


certificate("tls-unknown-authority", "good", trusted=False)
certificate("tls-self-signed", "self-signed")
certificate("tls-wrong-host", "wrong-host")
certificate("tls-name-in-common-name-only", "common-name-only")
certificate("tls-expired", "expired")


@refused(tls="raw", within=9)
def tls_silence(peer):
    peer.await_end()


@refused(tls="raw")
def tls_plain_answer(peer):
    """An HTTP server on the TLS port."""
    peer.read_more(5)
    peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    peer.await_end(1)


@refused(tls="raw")
def tls_garbage(peer):
    peer.read_more(5)
    peer.send(bytes(range(256)) * 100)
    peer.await_end(1)


@refused(tls="raw")
def tls_end_inside_the_handshake(peer):
    peer.read_more(5)
    peer.send(b"\x16\x03\x03\x00\x7a\x02\x00")


@refused(tls="raw")
def tls_reset_inside_the_handshake(peer):
    peer.read_more(5)
    peer.reset()


@refused(tls="raw", within=9)
def tls_record_without_end(peer):
    """A record of the largest length, a byte per second."""
    peer.read_more(5)
    peer.drip(b"\x16\x03\x03\x40\x00" + b"x" * 100, pause=1.0)
