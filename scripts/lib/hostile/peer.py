# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.

"""One accepted connection, and what a server may do with it: right, wrong, or nothing."""

import base64
import hashlib
import select
import socket
import struct
import time

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(opcode, payload=b"", *, fin=True, rsv=0, mask=None, length=None, width=None):
    """A frame's bytes. `length` lies about the length, `width` (16, 64) chooses its encoding."""
    declared = len(payload) if length is None else length
    if width is None:
        width = 7 if declared < 126 else 16 if declared < 65536 else 64
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    masked = 0x80 if mask is not None else 0
    if width == 7:
        head = struct.pack("!BB", first, masked | declared)
    elif width == 16:
        head = struct.pack("!BBH", first, masked | 126, declared)
    else:
        head = struct.pack("!BBQ", first, masked | 127, declared)
    if mask is not None:
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        head += mask
    return head + payload


def close_frame(code=1000, reason=b""):
    return frame(CLOSE, struct.pack("!H", code) + reason)


class Peer:
    """The server's end of one connection."""

    def __init__(self, connection, case):
        self.socket = connection
        self.case = case
        self.client_close = None  # the code of the client's close frame
        self.pongs = 0
        self.buffer = b""

    # Bytes

    def send(self, data):
        self.socket.sendall(data)

    def drip(self, data, pause=0.0):
        """Byte by byte."""
        for index in range(len(data)):
            self.send(data[index : index + 1])
            if pause:
                time.sleep(pause)

    def read_more(self, seconds):
        """Reads what comes within so many seconds; False at the end of the connection."""
        pending = getattr(self.socket, "pending", lambda: 0)()
        if not pending and not select.select([self.socket], [], [], seconds)[0]:
            raise TimeoutError
        data = self.socket.recv(65536)
        self.buffer += data
        return bool(data)

    def reset(self):
        """Closes with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Under TLS the socket below is closed without a goodbye as well.
        socket.socket(fileno=self.socket.detach()).close()

    def drop(self):
        """Closes with FIN and, under TLS, without close_notify."""
        below = socket.socket(fileno=self.socket.detach())
        below.shutdown(socket.SHUT_WR)
        below.settimeout(1)
        try:
            while below.recv(65536):
                pass
        except OSError:
            pass
        below.close()

    # Handshake

    def read_head(self):
        """The client's request head."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.read_more(10):
                raise ConnectionError("no request")
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        self.head = head.decode("latin-1")
        return self.head

    def key(self):
        for line in self.head.split("\r\n"):
            name, _, value = line.partition(":")
            if name.lower() == "sec-websocket-key":
                return value.strip()
        raise ConnectionError("no key")

    def accept_value(self):
        digest = hashlib.sha1(self.key().encode() + GUID).digest()
        return base64.b64encode(digest).decode()

    def answer(self, *extra, status="HTTP/1.1 101 Switching Protocols", without=(), **replaced):
        """The bytes of an answer to the upgrade, with fields left out, replaced or added."""
        fields = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Accept": self.accept_value(),
        }
        fields.update({name.replace("_", "-"): value for name, value in replaced.items()})
        lines = [status] + [f"{n}: {v}" for n, v in fields.items() if n not in without]
        return ("\r\n".join(lines + list(extra)) + "\r\n\r\n").encode("latin-1")

    def open(self, *extra, **changes):
        """Reads the request and answers it."""
        self.read_head()
        self.send(self.answer(*extra, **changes))

    # Frames

    def read_frame(self, seconds=10):
        """The next frame of the client, unmasked, as (opcode, payload); None at the end."""
        def need(count):
            while len(self.buffer) < count:
                if not self.read_more(seconds):
                    return False
            return True

        if not need(2):
            return None
        opcode, length, offset = self.buffer[0] & 15, self.buffer[1] & 127, 2
        if length >= 126:
            offset = 4 if length == 126 else 10
            if not need(offset):
                return None
            length = int.from_bytes(self.buffer[2:offset], "big")
        if not need(offset + 4 + length):
            return None
        mask = self.buffer[offset : offset + 4]
        body = self.buffer[offset + 4 : offset + 4 + length]
        self.buffer = self.buffer[offset + 4 + length :]
        return opcode, bytes(byte ^ mask[index % 4] for index, byte in enumerate(body))

    def await_close(self, seconds=10):
        """Reads frames up to the client's close frame or the end."""
        try:
            while (received := self.read_frame(seconds)) is not None:
                opcode, payload = received
                if opcode == PONG:
                    self.pongs += 1
                if opcode == CLOSE:
                    self.client_close = int.from_bytes(payload[:2], "big") if payload else 1005
                    return
        except (TimeoutError, OSError, ValueError):
            pass

    def await_end(self, seconds=20):
        """Waits for the client to leave, whatever it sends."""
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end and self.read_more(end - time.monotonic()):
                self.buffer = b""
        except (TimeoutError, OSError, ValueError):
            pass

    def goodbye(self, code=1000, reason=b""):
        """A proper end: close, the client's close, the end of TCP."""
        self.send(close_frame(code, reason))
        self.await_close()

    def wrong(self, data):
        """Sends what must be refused and waits for the client's close."""
        self.send(data)
        self.await_close()
