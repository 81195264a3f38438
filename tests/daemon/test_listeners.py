import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from daemon.errors import OperatorError
from daemon.listeners import Listeners


def application(word: str = "here") -> web.Application:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=word)

    app = web.Application()
    app.router.add_get("/", answer)
    return app


@pytest.fixture
async def listeners() -> AsyncIterator[Listeners]:
    made = Listeners(shutdown_timeout=1.0)
    yield made
    await made.close()


async def ask(http: aiohttp.ClientSession, url: str) -> str:
    async with http.get(url) as response:
        return await response.text()


async def test_each_address_serves_its_application_and_stops_in_two_steps(listeners: Listeners, tmp_path: Path) -> None:
    await listeners.add_tcp(application("one"), "127.0.0.1", 0)
    await listeners.add_tcp(application("two"), "127.0.0.1", 0)
    await listeners.add_unix(application("three"), tmp_path / "socket")
    await listeners.start()
    one, two = (f"http://{host}:{port}" for host, port in listeners.addresses)
    async with aiohttp.ClientSession() as http:
        assert [await ask(http, one), await ask(http, two)] == ["one", "two"]
        await listeners.stop_accepting()
        assert await ask(http, one) == "one"  # the connection that stands goes on
        async with aiohttp.ClientSession() as late:
            with pytest.raises(aiohttp.ClientConnectorError):
                await ask(late, one)
        await listeners.close()
        with pytest.raises(aiohttp.ClientError):
            await ask(http, one)


async def test_socket_that_a_killed_process_left_is_taken_over(listeners: Listeners, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    await listeners.add_unix(application(), path)
    await listeners.start()
    assert path.stat().st_mode & 0o777 == 0o600
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as http:
        assert await ask(http, "http://parley/") == "here"
    other = Listeners(shutdown_timeout=1.0)
    with pytest.raises(OperatorError, match="another Parley answers"):
        await other.add_unix(application(), path)


@pytest.mark.parametrize("place", ["missing/socket", "x" * 200])
async def test_socket_that_cannot_be_made_is_said(listeners: Listeners, tmp_path: Path, place: str) -> None:
    with pytest.raises(OperatorError, match="cannot listen at"):
        await listeners.add_unix(application(), tmp_path / place)


async def test_address_that_is_not_ours_is_said(listeners: Listeners) -> None:
    with pytest.raises(OperatorError, match=r"cannot listen at 192\.0\.2\.1 port 0"):
        await listeners.add_tcp(application(), "192.0.2.1", 0)
