# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""A Client Portal Gateway by other hands: aiohttp over TLS, REST and WebSocket on one port."""

import asyncio
import json
import random
import time
from pathlib import Path

import aiohttp
from aiohttp import web

from . import frames
from .certificates import Certificates

SESSION = "e5af95a05fe55041a403680abb434efa"
ACCOUNT = "U1234567"
SERVER = {"serverName": "JifZ11074", "serverVersion": "Build 10.45.1a, Apr 22, 2026 1:39:05 PM"}
STATUS = {
    "authenticated": True, "established": True, "competing": False, "connected": True,
    "message": "", "MAC": "06:59:AE:5B:4F:D1", "serverInfo": SERVER,
    "hardware_info": "30df22d8|06:59:AE:5B:4F:D1", "fail": "",
}
ACCOUNTS = {"accounts": [ACCOUNT], "aliases": {ACCOUNT: ACCOUNT}, "selectedAccount": ACCOUNT}
GREETING = [
    b'{"topic":"system","success":"username1","isFT":false,"isPaper":false}',
    json.dumps({"topic": "act", "args": {**ACCOUNTS, "serverInfo": SERVER, "isPaper": False}},
               separators=(",", ":")).encode(),
    json.dumps({"topic": "sts", "args": {"connected": True, "authenticated": True,
                                         "established": True, "competing": False, "message": "",
                                         "fail": "", **SERVER, "username": "username1"}},
               separators=(",", ":")).encode(),
]
# Contracts this gateway can name; it answers 404 for all others.
CONTRACTS = {
    265598: ("AAPL", "APPLE INC", "NASDAQ"), 272093: ("MSFT", "MICROSOFT CORP", "NASDAQ"),
    8314: ("IBM", "INTL BUSINESS MACHINES CORP", "NYSE"),
}


class Connection:
    """One WebSocket, server side. Everything sent and received is kept for the comparison."""

    def __init__(self, socket: web.WebSocketResponse, transport, chance: random.Random):
        self.socket, self.transport, self.chance = socket, transport, chance
        self.sent: list[bytes] = []
        self.proven = 0  # so many of `sent` the client has certainly read
        self.commands: list[str] = []
        self.closed = False
        self._pongs: dict[bytes, tuple[int, asyncio.Future]] = {}
        self._writing = asyncio.Lock()
        self._changed = asyncio.Event()

    async def send(self, messages, opcode=frames.BINARY, fragments=4, split=True, batch=1):
        """Sends messages in order, `batch` of them in one stream of bytes that is then split."""
        messages = list(messages)
        for start in range(0, len(messages), batch):
            part = messages[start : start + batch]
            stream = b"".join(frames.message(opcode, m, self.chance, fragments) for m in part)
            async with self._writing:
                if self.transport.is_closing():
                    return
                self.sent += part
                await self._write(stream, split)

    async def _write(self, stream: bytes, split: bool):
        pieces = frames.splits(stream, self.chance, 16_384) if split else (stream,)
        for count, piece in enumerate(pieces):
            self.transport.write(piece)
            if count % 64 == 63:
                await asyncio.sleep(0)
            while self.transport.get_write_buffer_size() > 1 << 20 and not self.transport.is_closing():
                await asyncio.sleep(0.001)

    async def prove(self, seconds: float = 20) -> bool:
        """A ping behind everything sent so far; its pong proves that all of it was read."""
        token = f"proof-{len(self.sent)}-{len(self._pongs)}".encode()
        pong = asyncio.get_running_loop().create_future()
        self._pongs[token] = (len(self.sent), pong)
        async with self._writing:
            if self.transport.is_closing():
                return False
            await self._write(frames.frame(frames.PING, token), split=False)
        try:
            await asyncio.wait_for(pong, seconds)
        except (asyncio.TimeoutError, ConnectionError):
            return False
        return True

    async def commands_match(self, wanted, seconds: float = 30) -> bool:
        """Waits until `wanted(commands)` holds."""
        limit = time.monotonic() + seconds
        while not wanted(self.commands):
            self._changed.clear()
            left = limit - time.monotonic()
            if self.closed or left <= 0:
                return wanted(self.commands)
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except asyncio.TimeoutError:
                pass
        return True

    async def receive(self):
        """Reads the client's side until it ends. A connection that is cut cancels this."""
        try:
            async for item in self.socket:
                if item.type == aiohttp.WSMsgType.TEXT:
                    self.commands.append(item.data)
                elif item.type == aiohttp.WSMsgType.PING:
                    async with self._writing:
                        self.transport.write(frames.frame(frames.PONG, item.data))
                elif item.type == aiohttp.WSMsgType.PONG:
                    sent, pong = self._pongs.get(bytes(item.data), (0, None))
                    self.proven = max(self.proven, sent)
                    if pong and not pong.done():
                        pong.set_result(True)
                self._changed.set()
        finally:
            self.closed = True
            self._changed.set()
            for _, pong in self._pongs.values():
                if not pong.done():
                    pong.set_exception(ConnectionError("closed"))
                    pong.exception()


class Gateway:
    """`async with Gateway(folder, play) as gateway`: `play(connection)` runs once per connection,
    after the greeting; the connection stays open until the client leaves or `play` closes it."""

    def __init__(self, folder: Path, play=None, *, seed=1, names=("localhost", "127.0.0.1", "::1"),
                 greeting=None, overrides=None):
        self.certificates = Certificates(folder, names)
        self.play, self.greeting = play, GREETING if greeting is None else greeting
        self.overrides = overrides or {}
        self.chance = random.Random(seed)
        self.connections: list[Connection] = []
        self.requests: list[str] = []
        self.problems: list[str] = []

    async def __aenter__(self):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self.certificates.server())
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.url = f"https://127.0.0.1:{self.port}/v1/api"
        self.ca = self.certificates.ca
        return self

    async def __aexit__(self, *_):
        await self._runner.cleanup()

    async def _answer(self, request: web.Request):
        path = request.path.removeprefix("/v1/api/")
        if path == "ws" and "ws" not in self.overrides:
            return await self._socket(request)
        self.requests.append(f"{request.method} {path}")
        if path in self.overrides:
            return self.overrides[path](request)
        symbols = request.query.get("symbols", request.query.get("symbol", "")).split(",")
        if path == "tickle":
            body = {"session": SESSION, "ssoExpires": 460311, "collission": False,
                    "userId": 181382082, "hmds": {"error": "no bridge"},
                    "iserver": {"authStatus": STATUS}}
        elif path == "iserver/auth/status":
            body = STATUS
        elif path == "iserver/accounts":
            body = {**ACCOUNTS, "isPaper": False}
        elif path == "trsrv/stocks":
            body = {symbol: _stocks(symbol) for symbol in symbols}
        elif path == "iserver/secdef/search":
            body = _search(symbols[0])
        elif path == "trsrv/secdef":
            body = {"secdef": [_secdef(int(c)) for c in request.query.get("conids", "0").split(",")
                               if int(c) in CONTRACTS]}
        else:
            return web.Response(status=404, content_type="text/html",
                                text="<html><body><h1>Resource not found</h1></body></html>")
        return web.json_response(body)

    async def _socket(self, request: web.Request):
        socket = web.WebSocketResponse(autoping=False, max_msg_size=0, compress=False)
        await socket.prepare(request)
        connection = Connection(socket, request.transport, self.chance)
        self.connections.append(connection)
        receiving = asyncio.create_task(connection.receive())
        # The real gateway drops whatever the client says before its own greeting.
        await asyncio.sleep(0.2)
        if connection.commands:
            self.problems.append(f"sent before the greeting: {connection.commands}")
        await connection.send(self.greeting)
        beating = asyncio.create_task(self._heartbeats(connection))
        playing = asyncio.create_task(self.play(connection)) if self.play else None
        try:
            await receiving
        finally:
            for task in (beating, playing):
                if task:
                    task.cancel()
        return socket

    async def _heartbeats(self, connection: Connection):
        while True:
            await asyncio.sleep(10)
            await connection.send([b'{"topic":"system","hb":%d}' % (time.time() * 1000)])


def _stocks(symbol: str) -> list:
    return [
        {"name": name, "chineseName": None, "assetClass": "STK",
         "contracts": [{"conid": conid, "exchange": exchange, "isUS": True}]}
        for conid, (ticker, name, exchange) in CONTRACTS.items() if ticker == symbol
    ]


def _search(symbol: str) -> list:
    return [
        {"conid": str(conid), "companyHeader": f"{name} - {exchange}", "companyName": name,
         "symbol": ticker, "description": exchange, "restricted": None,
         "sections": [{"secType": "STK"}]}
        for conid, (ticker, name, exchange) in CONTRACTS.items() if ticker == symbol
    ]


def _secdef(conid: int) -> dict:
    ticker, name, exchange = CONTRACTS[conid]
    return {"conid": conid, "currency": "USD", "name": name, "assetClass": "STK", "expiry": None,
            "lastTradingDay": None, "strike": "0", "ticker": ticker, "undConid": 0,
            "multiplier": 0.0, "type": "COMMON", "fullName": ticker, "isUS": True,
            "listingExchange": exchange, "countryCode": "US"}
