# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""The clients from PyPI: each counts messages until the close frame, as its documentation has it.

peers.py NAME PORT [FILE] prints one line of JSON."""

import asyncio
import json
import resource
import ssl
import sys
import time


class Count:
    """What came; appended to a file if one is named."""

    def __init__(self, path):
        self.messages = self.bytes = 0
        self.begun = None
        self.file = open(path, "wb", buffering=1 << 20) if path else None

    def take(self, message):
        if not self.messages:
            # Not before: the server prepares the whole stream first.
            self.begun = time.monotonic()
        data = message.encode() if isinstance(message, str) else message
        self.messages += 1
        self.bytes += len(data)
        if self.file:
            self.file.write(data)
            self.file.write(b"\n")


def context():
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    return tls


def websocket_client(url, count):
    import websocket

    socket = websocket.create_connection(url, sslopt={"cert_reqs": ssl.CERT_NONE})
    while True:
        opcode, data = socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            break
        count.take(data)
    socket.close()


async def _websockets(url, count):
    import websockets

    async with websockets.connect(url, ssl=context(), max_size=None, compression=None) as socket:
        async for message in socket:
            count.take(message)


def websockets(url, count):
    asyncio.run(_websockets(url, count))


async def _aiohttp(url, count):
    import aiohttp

    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url, ssl=context(), max_msg_size=0) as socket:
            async for message in socket:
                count.take(message.data)


def aiohttp(url, count):
    asyncio.run(_aiohttp(url, count))


async def _picows(url, count):
    import picows

    class Listener(picows.WSListener):
        def on_ws_frame(self, transport, frame):
            if frame.msg_type == picows.WSMsgType.PING:
                transport.send_pong(frame.get_payload_as_bytes())
            elif frame.msg_type == picows.WSMsgType.CLOSE:
                transport.send_close(picows.WSCloseCode.OK)
                transport.disconnect()
            else:
                count.take(frame.get_payload_as_bytes())

    transport, _ = await picows.ws_connect(Listener, url, ssl_context=context())
    await transport.wait_disconnected()


def picows(url, count):
    asyncio.run(_picows(url, count))


def main():
    name, port = sys.argv[1:3]
    count = Count(sys.argv[3] if len(sys.argv) > 3 else None)
    client = {"websocket-client": websocket_client, "websockets": websockets, "aiohttp": aiohttp,
              "picows": picows}[name]
    before = resource.getrusage(resource.RUSAGE_SELF)
    client(f"wss://localhost:{port}/load", count)
    if count.file:
        count.file.close()
    seconds, after = time.monotonic() - count.begun, resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({
        "messages": count.messages, "bytes": count.bytes, "seconds": seconds,
        "cpu_user": after.ru_utime - before.ru_utime,
        "cpu_system": after.ru_stime - before.ru_stime, "rss": after.ru_maxrss / 1024,
    }))


if __name__ == "__main__":
    main()
