# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.

"""Answers to the upgrade request (RFC 6455 section 4): right ones, and every kind of wrong one."""

import socket
import time

from cases import good, refused
from peer import TEXT, close_frame, frame

HELLO = frame(TEXT, b"hello")


def finish(peer):
    peer.send(HELLO)
    peer.goodbye()


@good()
def ok(peer):
    peer.open()
    finish(peer)


@good()
def ok_header_case(peer):
    peer.read_head()
    accept = peer.accept_value()
    peer.send(f"HTTP/1.1 101 x\r\nupgrade: WebSocket\r\nCONNECTION: upgrade\r\n"
              f"sec-websocket-ACCEPT:{accept}\r\n\r\n".encode())
    finish(peer)


@good()
def ok_connection_list(peer):
    peer.open(Connection="keep-alive, UPGRADE")
    finish(peer)


@good()
def ok_upgrade_list(peer):
    peer.open("Connection: keep-alive", "Server: x", "X-Empty:")
    finish(peer)


@good()
def ok_no_reason(peer):
    peer.open(status="HTTP/1.1 101 ")
    finish(peer)


@good()
def ok_bytewise(peer):
    peer.read_head()
    peer.drip(peer.answer() + HELLO + close_frame())
    peer.await_close()


@good()
def ok_same_segment(peer):
    peer.read_head()
    peer.send(peer.answer() + HELLO + close_frame())
    peer.await_close()


@refused()
def accept_missing(peer):
    peer.open(without=["Sec-WebSocket-Accept"])
    peer.await_end()


@refused()
def accept_wrong(peer):
    peer.open(Sec_WebSocket_Accept="AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    peer.await_end()


@refused()
def accept_swapped_case(peer):
    peer.read_head()
    peer.send(peer.answer(Sec_WebSocket_Accept=peer.accept_value().swapcase()))
    peer.await_end()


@refused()
def accept_is_the_key(peer):
    peer.read_head()
    peer.send(peer.answer(Sec_WebSocket_Accept=peer.key()))
    peer.await_end()


@refused()
def accept_twice(peer):
    peer.read_head()
    peer.send(peer.answer(f"Sec-WebSocket-Accept: {peer.accept_value()}"))
    peer.await_end()


@refused()
def accept_with_more(peer):
    peer.read_head()
    peer.send(peer.answer(Sec_WebSocket_Accept=peer.accept_value() + "x"))
    peer.await_end()


@refused()
def no_upgrade(peer):
    peer.open(without=["Upgrade"])
    peer.await_end()


@refused()
def wrong_upgrade(peer):
    peer.open(Upgrade="h2c")
    peer.await_end()


@refused()
def no_connection(peer):
    peer.open(without=["Connection"])
    peer.await_end()


@refused()
def connection_without_upgrade(peer):
    peer.open(Connection="keep-alive, upgraded")
    peer.await_end()


@refused()
def http_1_0(peer):
    peer.open(status="HTTP/1.0 101 Switching Protocols")
    peer.await_end()


@refused()
def http_2(peer):
    peer.open(status="HTTP/2 101")
    peer.await_end()


@refused()
def unasked_subprotocol(peer):
    peer.open("Sec-WebSocket-Protocol: chat")
    peer.await_end()


@refused()
def unknown_extension(peer):
    peer.open("Sec-WebSocket-Extensions: x-unknown")
    peer.await_end()


@refused()
def unasked_deflate(peer):
    peer.open("Sec-WebSocket-Extensions: permessage-deflate")
    peer.await_end()


def answer_with(name, status, *fields, body=b""):
    @refused(name=name)
    def serve(peer):
        peer.read_head()
        peer.send("\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode() + body)
        peer.await_end()


answer_with("status-200", "200 OK", "Content-Length: 5", body=b"hello")
answer_with("status-401", "401 Unauthorized", "WWW-Authenticate: x", "Content-Length: 0")
answer_with("status-404", "404 Not Found", "Transfer-Encoding: chunked", body=b"5\r\nhello\r\n")
answer_with("status-500", "500 Oops")
answer_with("status-204", "204 No Content")
answer_with("status-999", "999 What")
answer_with("status-000", "000 What")
answer_with("content-length-huge", "403 No", "Content-Length: 9223372036854775807")
answer_with("content-length-beyond", "403 No", "Content-Length: 99999999999999999999")


def redirected(peer):
    return "the client followed the redirect" if peer.case.target_hits else None


def redirect(name, location):
    @refused(name=name, check=redirected)
    def serve(peer):
        peer.read_head()
        peer.send(f"HTTP/1.1 302 Found\r\nLocation: {location(peer)}\r\n"
                  "Content-Length: 0\r\n\r\n".encode())
        peer.await_end()


redirect("redirect-other-host", lambda peer: f"ws://localhost:{peer.case.target_port}/")
redirect("redirect-same-origin", lambda peer: "/elsewhere")
redirect("redirect-to-file", lambda peer: "file:///etc/passwd")


@refused(within=8)
def endless_body(peer):
    peer.read_head()
    peer.send(b"HTTP/1.1 403 No\r\n\r\n")
    while True:
        peer.send(b"x" * 65536)


def raw(name, data, within=3.0):
    @refused(name=name, within=within)
    def serve(peer):
        peer.read_head()
        peer.send(data)
        peer.await_end()


raw("ssh-banner", b"SSH-2.0-OpenSSH_9.2p1\r\n")
raw("tls-alert-instead-of-http", b"\x15\x03\x03\x00\x02\x02\x46")
raw("binary-garbage", bytes(range(256)))
raw("no-status", b"HTTP/1.1\r\n\r\n")
raw("status-line-only-newline", b"HTTP/1.1 101 Switching Protocols\n\n")


def field(name, *lines):
    """A good answer with something wrong in its fields."""

    @refused(name=name)
    def serve(peer):
        peer.read_head()
        good_answer = peer.answer()
        peer.send(good_answer[:-2] + b"".join(lines) + b"\r\n")
        peer.await_end()


field("header-nul", b"X: a\0b\r\n")
field("header-escape", b"X: \x1b[2J\r\n")
field("header-folded", b"X: a\r\n b\r\n")
field("header-no-colon", b"nonsense\r\n")
field("header-space-before-colon", b"X : a\r\n")
field("header-lf-only", b"X: a\n")
field("header-cr-only", b"X: a\rY: b\r\n")
field("header-1-mb", b"X: " + b"a" * 1_000_000 + b"\r\n")
field("headers-100000", *[b"X: a\r\n"] * 100_000)


@refused()
def header_without_end(peer):
    peer.read_head()
    peer.send(peer.answer()[:-2])
    while True:
        peer.send(b"X: " + b"a" * 1000 + b"\r\n")


@refused()
def line_without_end(peer):
    peer.read_head()
    while True:
        peer.send(b"HTTP/1.1 101 " + b"a" * 65536)


@refused()
def interim_responses_without_end(peer):
    peer.read_head()
    while True:
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


@refused(within=9)
def handshake_silence(peer):
    peer.read_head()
    peer.await_end()


@refused(within=9)
def handshake_one_byte_per_second(peer):
    peer.read_head()
    peer.drip(peer.answer(), pause=1.0)


@refused()
def handshake_end(peer):
    peer.read_head()


@refused()
def handshake_end_inside(peer):
    peer.read_head()
    peer.send(peer.answer()[:40])


@refused()
def handshake_reset(peer):
    peer.read_head()
    peer.reset()


@refused()
def reset_before_the_request(peer):
    peer.reset()


@refused(within=9)
def never_reads(peer):
    time.sleep(12)


@refused()
def handshake_half_closed(peer):
    peer.read_head()
    peer.send(peer.answer()[:40])
    peer.socket.shutdown(socket.SHUT_WR)
    peer.await_end()


@refused()
def reset_inside_the_answer(peer):
    peer.read_head()
    peer.send(peer.answer()[:40])
    peer.reset()


def sent_anything(peer):
    return "the request was sent" if hasattr(peer, "head") else None


def injection(name, header):
    """A header that would forge another one is refused before anything is sent."""

    @refused(name=name, options=["--header", header], check=sent_anything)
    def serve(peer):
        peer.read_head()


injection("inject-line", "X: a\r\nY: b")
injection("inject-newline", "X: a\nY: b")
injection("inject-into-name", "X\r\nY: a")
injection("replace-host", "Host: elsewhere.example")
injection("replace-key", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
