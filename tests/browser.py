"""A headless Chromium that opens a page, over its debugging socket on the loopback."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = (
    "--headless --disable-gpu --no-first-run --disable-extensions --remote-debugging-port=0 --hide-scrollbars"
)
_PATIENCE = 60  # seconds


class Tab:
    """A page that is open: `trouble` collects what it complained about on its console."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.trouble: list[str] = []
        self._socket = socket
        self._number = 0

    async def call(self, method: str, **params: Any) -> Any:
        """Return the result of a command of the debugging protocol."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            message = await asyncio.wait_for(self._socket.receive_json(), _PATIENCE)
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self._hear(message)

    async def run(self, script: str) -> Any:
        """Return what an expression of JavaScript gives, a promise awaited."""
        result = await self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def until(self, script: str) -> None:
        """Wait until an expression holds."""
        for _ in range(_PATIENCE * 20):
            if await self.run(script):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"never came about: {script}; {self.trouble}")

    async def press(self, key: str, modifiers: int = 0) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, modifiers=modifiers)

    async def click(self, selector: str) -> None:
        """Click with the mouse on what `selector` finds."""
        x, y = await self.run(
            f"(() => {{ const e = document.querySelector({selector!r}); e.scrollIntoView({{block: 'center'}});"
            " const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def _hear(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        if message["method"] in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
            self.trouble.append(str(params))
        elif message["method"] == "Log.entryAdded":
            self.trouble.append(params["entry"]["text"])


@asynccontextmanager
async def opened(url: str, profile: Path) -> AsyncIterator[Tab]:
    """Open a page in a browser of its own, whose profile is kept in `profile`."""
    assert CHROMIUM
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *_FLAGS.split(),
        *sandbox,
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await _port(profile)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json") as reply:
                where = next(
                    tab["webSocketDebuggerUrl"] for tab in await reply.json() if tab["type"] == "page"
                )
            async with session.ws_connect(where, max_msg_size=0) as socket:
                tab = Tab(socket)
                for domain in ("Runtime", "Log", "Page"):
                    await tab.call(f"{domain}.enable")
                await tab.call("Page.navigate", url=url)
                await tab.until("document.readyState === 'complete' && location.href !== 'about:blank'")
                yield tab
    finally:
        process.terminate()
        await process.wait()


async def _port(profile: Path) -> int:
    file = profile / "DevToolsActivePort"
    for _ in range(_PATIENCE * 20):
        if file.exists() and (lines := file.read_text().splitlines()):
            return int(lines[0])
        await asyncio.sleep(0.05)
    raise AssertionError("the browser opened no debugging port")
