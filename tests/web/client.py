"""Plain HTTP against a server of the house."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer


class Reply:
    """A response, read to its end."""

    def __init__(self, response: aiohttp.ClientResponse, body: bytes) -> None:
        self.status = response.status
        self.headers = response.headers
        self.cookies = response.cookies
        self.media = response.content_type
        self.body = body

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def ask(server: TestServer, method: str, path: str, **options: Any) -> Reply:
    """One request on a connection of its own, without cookies of earlier ones, redirects not followed."""
    jar = aiohttp.DummyCookieJar()
    async with (
        aiohttp.ClientSession(cookie_jar=jar, auto_decompress=True) as session,
        session.request(method, server.make_url(path), allow_redirects=False, **options) as response,
    ):
        return Reply(response, await response.read())


def origin_of(server: TestServer) -> str:
    """The origin of our own pages."""
    return str(server.make_url("/")).rstrip("/")
