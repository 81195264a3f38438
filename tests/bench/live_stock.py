"""python-socketio as it comes: its own server on aiohttp, its own emit to a room. The loop is uvloop, as ours is.

python -m tests.bench.live_stock SOURCE_PORT
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import socketio  # type: ignore[import-untyped]
import uvloop
from aiohttp import web


async def serve(source_port: int) -> None:
    """Emit every line of the source to everybody who watches, until the source ends."""
    server = socketio.AsyncServer(async_mode="aiohttp")
    application = web.Application()
    server.attach(application)

    @server.on("watch", namespace="/live")  # type: ignore[untyped-decorator]
    async def watch(sid: str, wish: dict[str, Any]) -> dict[str, bool]:
        await server.enter_room(sid, "watchers", namespace="/live")
        return {"ok": True}

    # Without a handler of its own the library turns a namespace away.
    @server.on("connect", namespace="/live")  # type: ignore[untyped-decorator]
    async def connect(sid: str, environ: dict[str, Any], auth: object) -> None:
        return None

    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    reader, _ = await asyncio.open_connection("127.0.0.1", source_port)
    said = {"port": runner.addresses[0][1], "path": "/socket.io/?EIO=4&transport=websocket", "headers": {}}
    print(json.dumps(said), flush=True)
    async for line in reader:
        await server.emit("utterance", json.loads(line), room="watchers", namespace="/live")


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
