# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Echoes random messages between websocket-conformance and foreign WebSocket engines."""

import argparse
import asyncio
import contextlib
import random
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

import aiohttp
import websockets
from aiohttp import web

from harness.certificates import Certificates
from harness.program import Program

LARGEST = 1_000_000
LIMIT = 4 * LARGEST
# So much may be on its way before an echo is waited for.
AHEAD_MESSAGES, AHEAD_BYTES = 32, 4_000_000


class Messages:
    """Random messages: lengths of every order of magnitude, half of them text."""

    def __init__(self, seed: int, count: int):
        self.count = count
        self._random = random.Random(seed)
        # Slices of these are random enough, and cost nothing to make.
        self._noise = self._random.randbytes(2 * LARGEST)
        words = [f'{{"conid":{n},"31":"{n / 7:.2f}","é":"日本"}}' for n in range(4000)]
        self._words = " ".join(self._random.choices(words, k=60_000))

    def __iter__(self):
        for number in range(self.count):
            length = self._length(number)
            if self._random.random() < 0.5:
                start = self._random.randrange(len(self._words) - length)
                yield self._words[start:start + length]
            else:
                start = self._random.randrange(LARGEST)
                yield self._noise[start:start + length]

    def _length(self, number: int) -> int:
        edges = (0, 1, 125, 126, 127, 65_535, 65_536, LARGEST)
        if number < len(edges):
            return edges[number]
        return int(10 ** self._random.uniform(0, 6)) - 1


async def converse(send, receive, messages: Messages) -> int:
    """Sends all messages, some ahead, and compares the echoes; gives the number of bytes."""
    waiting, ahead, total = deque(), asyncio.Condition(), 0

    async def compare():
        nonlocal total
        for number in range(messages.count):
            echo = await receive()
            async with ahead:
                expected = waiting.popleft()
                ahead.notify()
            if echo != expected:
                raise AssertionError(f"message {number} of {len(expected)} came back different")
            total += len(expected)

    comparing = asyncio.create_task(compare())
    try:
        for message in messages:
            async with ahead:
                while not comparing.done() and waiting and (
                        len(waiting) >= AHEAD_MESSAGES
                        or sum(map(len, waiting)) + len(message) > AHEAD_BYTES):
                    waiter = asyncio.create_task(ahead.wait())
                    done, _ = await asyncio.wait(
                        {waiter, comparing}, return_when=asyncio.FIRST_COMPLETED)
                    if waiter not in done:
                        waiter.cancel()
                        with contextlib.suppress(asyncio.CancelledError):
                            await waiter
                waiting.append(message)
            if comparing.done():
                break
            await send(message)
        await comparing
    finally:
        comparing.cancel()
    return total


def aiohttp_pair(socket):
    async def send(message):
        await (socket.send_str if isinstance(message, str) else socket.send_bytes)(message)

    async def receive():
        message = await socket.receive()
        if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            raise AssertionError(f"{message.type.name} instead of an echo: {message.data}")
        return message.data

    return send, receive


class Suite:
    def __init__(self, options, folder: Path):
        self.options = options
        self.folder = folder
        self.certificates = Certificates(folder)
        self.pem = folder / "server.pem"

    # Our engine as client: the foreign server sends, and compares what comes back.

    async def client_role(self, serve, deflate: bool) -> int:
        result = asyncio.get_running_loop().create_future()

        async def visit(send, receive):
            try:
                total = await converse(send, receive, self.messages())
                result.done() or result.set_result(total)
            except Exception as error:
                result.done() or result.set_exception(error)

        async with serve(visit, deflate) as port:
            arguments = ["--echo", f"wss://localhost:{port}/", "--ca", self.certificates.ca]
            async with Program(self.options.program, *arguments,
                               *(["--deflate"] if deflate else [])) as program:
                ended = asyncio.create_task(program.process.wait())
                await asyncio.wait({result, ended}, return_when=asyncio.FIRST_COMPLETED)
                if not result.done():
                    raise AssertionError(f"the program ended: {program.errors()}")
                total = await result
                if code := await asyncio.wait_for(ended, 30):
                    raise AssertionError(f"exit code {code}: {program.errors()}")
                return total

    def messages(self) -> Messages:
        return Messages(self.options.seed, self.options.messages)

    @contextlib.asynccontextmanager
    async def serve_websockets(self, visit, deflate, tls=True):
        async def handler(socket):
            if deflate != any("deflate" in e.name for e in socket.protocol.extensions):
                raise AssertionError("deflate was not negotiated as asked")
            await visit(socket.send, socket.recv)

        async with websockets.serve(
                handler, "localhost", 0, max_size=LIMIT, ping_interval=None,
                compression="deflate" if deflate else None,
                ssl=self.certificates.server() if tls else None) as server:
            yield server.sockets[0].getsockname()[1]

    @contextlib.asynccontextmanager
    async def serve_aiohttp(self, visit, deflate):
        async def handler(request):
            socket = web.WebSocketResponse(max_msg_size=LIMIT, compress=deflate)
            await socket.prepare(request)
            await visit(*aiohttp_pair(socket))
            await socket.close()
            return socket

        application = web.Application()
        application.router.add_get("/", handler)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "localhost", 0, ssl_context=self.certificates.server())
        await site.start()
        try:
            yield site._server.sockets[0].getsockname()[1]
        finally:
            await runner.cleanup()

    @contextlib.asynccontextmanager
    async def serve_nginx(self, visit, deflate):
        async with self.serve_websockets(visit, deflate, tls=False) as inner:
            folder = Path(tempfile.mkdtemp(dir=self.folder))
            port = free_port()
            (folder / "nginx.conf").write_text(f"""
                daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
                events {{ worker_connections 64; }}
                http {{
                  access_log off;
                  {''.join(f'{kind}_temp_path {folder}/{kind};' for kind in
                           ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))}
                  server {{
                    listen 127.0.0.1:{port} ssl;
                    ssl_certificate {self.pem}; ssl_certificate_key {self.pem};
                    location / {{
                      proxy_pass http://127.0.0.1:{inner}; proxy_http_version 1.1;
                      proxy_set_header Upgrade $http_upgrade;
                      proxy_set_header Connection "upgrade"; proxy_set_header Host $host;
                    }}
                  }}
                }}""")
            command = [shutil.which("nginx") or "/usr/sbin/nginx", "-c", folder / "nginx.conf"]
            proxy = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            try:
                await listening(port)
                yield port
            finally:
                proxy.terminate()
                proxy.wait()

    # Our engine as server: the foreign client sends, and compares what comes back.

    async def server_role(self, connect, deflate: bool, tls: bool) -> int:
        arguments = ["--serve", "0"] + (["--deflate"] if deflate else [])
        if tls:
            arguments += ["--certificate", self.pem, "--key", self.pem]
        async with Program(self.options.program, *arguments) as program:
            url = (await program.line()).removeprefix("listening ")
            context = ssl.create_default_context(cafile=self.certificates.ca) if tls else None
            return await connect(url, context, deflate)

    async def connect_websockets(self, url, context, deflate) -> int:
        async with websockets.connect(
                url, ssl=context, max_size=LIMIT, ping_interval=None,
                compression="deflate" if deflate else None) as socket:
            return await converse(socket.send, socket.recv, self.messages())

    async def connect_aiohttp(self, url, context, deflate) -> int:
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(
                    url, ssl=context or False, max_msg_size=LIMIT,
                    compress=15 if deflate else 0) as socket:
                return await converse(*aiohttp_pair(socket), self.messages())

    def cases(self):
        servers = {"websockets": self.serve_websockets, "aiohttp": self.serve_aiohttp,
                   "nginx": self.serve_nginx}
        clients = {"websockets": self.connect_websockets, "aiohttp": self.connect_aiohttp}
        for deflate in (False, True):
            suffix = ", deflate" if deflate else ""
            for name, serve in servers.items():
                yield f"client to {name} over TLS{suffix}", self.client_role, (serve, deflate)
            for name, connect in clients.items():
                for tls in (False, True):
                    yield (f"server for {name}{' over TLS' if tls else ''}{suffix}",
                           self.server_role, (connect, deflate, tls))


def free_port() -> int:
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def listening(port: int):
    for _ in range(100):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"nothing listens on port {port}")


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(options, Path(folder))
        for name, role, arguments in suite.cases():
            if options.only and not any(word in name for word in options.only):
                continue
            start = time.monotonic()
            try:
                total = await asyncio.wait_for(role(*arguments), 1800)
                passed += 1
                print(f"ok      {name}: {options.messages} messages, {total / 1e6:.0f} MB each way, "
                      f"{time.monotonic() - start:.0f} s")
            except Exception as error:
                failed += 1
                print(f"FAILED  {name}: {type(error).__name__}: {error}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
