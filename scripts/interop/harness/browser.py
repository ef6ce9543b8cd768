# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""A headless Chromium, driven by its DevTools protocol
(https://chromedevtools.github.io/devtools-protocol/)."""

import asyncio
import base64
import json
import os
import signal
import tempfile
from pathlib import Path

import aiohttp


class Browser:
    """`async with Browser() as browser`: one empty page, and everything that it asks for or says."""

    def __init__(self, executable: str = "chromium-headless-shell"):
        self.executable = executable
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._answers: dict[int, asyncio.Future] = {}
        self._waiting: dict[str, asyncio.Future] = {}
        self._session: str | None = None
        self._last = 0

    async def __aenter__(self):
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._process = await asyncio.create_subprocess_exec(
            self.executable, "--headless", "--remote-debugging-port=0", "--no-sandbox",
            "--disable-gpu", "--disable-dev-shm-usage", "--disable-crash-reporter", "--hide-scrollbars", "--no-first-run",
            f"--user-data-dir={self._profile.name}", "about:blank",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
        )
        address = await asyncio.wait_for(self._address(), 60)
        self._client = aiohttp.ClientSession()
        self._socket = await self._client.ws_connect(address, max_msg_size=0)
        self._reader = asyncio.create_task(self._read())
        targets = (await self.call("Target.getTargets"))["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = await self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.call(f"{domain}.enable")
        return self

    async def __aexit__(self, *_):
        self._reader.cancel()
        await self._client.close()
        self._end()
        await self._process.wait()
        self._profile.cleanup()

    def _end(self):
        """Ends it with all its processes."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    async def _address(self) -> str:
        file = Path(self._profile.name) / "DevToolsActivePort"
        while self._process.returncode is None:
            if file.exists() and len(lines := file.read_text().split()) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            await asyncio.sleep(0.05)
        raise RuntimeError(f"{self.executable} did not start")

    async def _read(self):
        async for item in self._socket:
            message = json.loads(item.data)
            if "id" in message:
                answer = self._answers.pop(message["id"])
                if "error" in message:
                    answer.set_exception(RuntimeError(str(message["error"])))
                else:
                    answer.set_result(message["result"])
                continue
            method, given = message["method"], message["params"]
            if method == "Network.requestWillBeSent":
                self.requests.append(given["request"]["url"])
            elif method == "Runtime.exceptionThrown":
                self.complaints.append(str(given["exceptionDetails"]))
            elif method == "Runtime.consoleAPICalled":
                self.complaints.append(f"console.{given['type']}: {given['args']}")
            elif method == "Log.entryAdded":
                self.complaints.append(str(given["entry"]))
            if waiting := self._waiting.pop(method, None):
                waiting.set_result(given)

    async def call(self, method: str, **parameters):
        number = self._last = self._last + 1
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        await self._socket.send_str(json.dumps(message))
        return await asyncio.wait_for(answer, 60)

    async def show(self, path: Path, width: int, dark: bool, height: int = 900):
        """Opens a file as on a screen of that width and mood."""
        await self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                        deviceScaleFactor=2 if width < 600 else 1, mobile=width < 600)
        await self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        loaded = self._waiting["Page.loadEventFired"] = asyncio.get_running_loop().create_future()
        await self.call("Page.navigate", url=path.resolve().as_uri())
        await asyncio.wait_for(loaded, 60)
        # Observers have told by the second frame, and what they draw is there by the third.
        await self.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame("
                         "() => requestAnimationFrame(() => done(1)))))")

    async def value(self, expression: str):
        """What a line of JavaScript comes to."""
        result = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True,
                                 returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(str(result["exceptionDetails"]))
        return result["result"].get("value")

    async def press(self, key: str, shift: bool = False):
        for kind in ("rawKeyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                            modifiers=8 if shift else 0,
                            windowsVirtualKeyCode=KEYS.get(key, 0))

    async def picture(self, path: Path):
        """Takes a picture of what is on the screen."""
        shot = await self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))


KEYS = {"Tab": 9, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowRight": 39, "Escape": 27}
