# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.

"""A TLS server that answers curl's request with 200 and a WebSocket's with 101 and a close."""

import base64
import hashlib
import re
import socket
import ssl
import threading

ACCEPT_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CLOSE = b"\x88\x02\x03\xe8"
VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


def context(chain, key, only=None, ciphers=None, clients=None, demand=True):
    """A context that sends the file `chain`; anything goes that OpenSSL can still do, so that
    what is refused is refused by the client."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = VERSIONS[only or "1.2"]
    made.maximum_version = VERSIONS[only or "1.3"]
    made.set_ciphers(ciphers or "ALL:@SECLEVEL=0")
    made.load_cert_chain(chain, key)
    if clients:
        made.load_verify_locations(clients)
        made.verify_mode = ssl.CERT_REQUIRED if demand else ssl.CERT_OPTIONAL
    return made


class Server:
    """Serves on a port of its own until the end of the `with` block."""

    def __init__(self, address, tls, plain=False, hang_up=False):
        self.tls, self.plain, self.hang_up = tls, plain, hang_up
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.socket(family)
        self.listener.bind((address, 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        client.settimeout(10)
        try:
            if self.hang_up:
                client.recv(1 << 16)
            elif self.plain:
                client.recv(1)
                client.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            else:
                client = self.tls.wrap_socket(client, server_side=True)
                self._answer(client)
        except OSError:
            pass  # a client that refuses hangs up; what it says is what counts
        finally:
            client.close()

    @staticmethod
    def _answer(client):
        head = b""
        while b"\r\n\r\n" not in head:
            part = client.recv(4096)
            if not part:
                return
            head += part
        key = re.search(rb"(?i)sec-websocket-key: *(\S+)", head)
        if not key:
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        accept = base64.b64encode(hashlib.sha1(key[1] + ACCEPT_KEY).digest())
        client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                       b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept
                       + b"\r\n\r\n" + CLOSE)
        # RFC 6455 section 7.1.1: once both have said goodbye the server closes.
        client.recv(4096)
