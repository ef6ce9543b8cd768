# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""A proxy in the middle of the TLS, which can change one bit of each request's OAuth signature."""

import asyncio
import base64
import random
import re
import ssl
from pathlib import Path
from urllib.parse import quote_plus, unquote_plus

from .certificates import Certificates

_SIGNATURE = re.compile(rb'(oauth_signature=")([^"]*)(")')


class TamperingProxy:
    """Speaks CONNECT; whoever uses it has to trust `ca`.

    `changes(path)` decides whose signature loses a bit; `changed` lists the paths and the bits.
    """

    def __init__(self, folder: Path, upstream_ca: Path, seed: int):
        self._certificates = Certificates(folder)
        self.ca = self._certificates.ca
        self._upstream = ssl.create_default_context(cafile=str(upstream_ca))
        self._random = random.Random(seed)
        self.changes = lambda path: False
        self.changed: list[tuple[str, int]] = []
        self.passed: list[str] = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        upstream = None
        try:
            target = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.start_tls(self._certificates.server())
            host, port = target.rsplit(":", 1)
            answers, upstream = await asyncio.open_connection(host, int(port), ssl=self._upstream)
            await asyncio.gather(self._requests(reader, upstream), self._copy(answers, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass  # either side has left
        finally:
            for side in (writer, upstream):
                if side is not None:
                    side.close()

    async def _requests(self, reader, upstream):
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                upstream.close()
                return
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            body = await reader.readexactly(int(length.group(1)) if length else 0)
            upstream.write(self._treated(head) + body)
            await upstream.drain()

    @staticmethod
    async def _copy(reader, writer):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()

    def _treated(self, head: bytes) -> bytes:
        path = head.split(b" ")[1].decode()
        if not self.changes(path):
            self.passed.append(path)
            return head
        return _SIGNATURE.sub(lambda match: self._flipped(match, path), head, count=1)

    def _flipped(self, match: re.Match, path: str) -> bytes:
        signature = bytearray(base64.b64decode(unquote_plus(match.group(2).decode())))
        bit = self._random.randrange(len(signature) * 8)
        signature[bit // 8] ^= 1 << (bit % 8)
        self.changed.append((path, bit))
        encoded = quote_plus(base64.b64encode(signature).decode()).encode()
        return match.group(1) + encoded + match.group(3)
