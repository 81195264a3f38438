"""What verbs that ask the running service share: its REST over the Unix socket, where its own user is an admin."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from daemon.config_file import load
from daemon.errors import OperatorError
from daemon.places import sockets_of_service

Result = TypeVar("Result")

_TIMEOUT = aiohttp.ClientTimeout(total=180.0, connect=5.0)
_MISSING = "no running Parley was found: nothing answers at {}; is it started, and with this configuration?"


class RunningParley:
    """The service beside this shell."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | None] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
    ) -> Answered:
        """One request below ``/api/v1``; what is ``None`` in ``query`` is left out.

        :raises OperatorError: with the service's own words where it says no, or when it cannot be reached.
        """
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            async with self._http.request(
                method, f"/api/v1{path}", params=asked, headers=headers, json=json
            ) as response:
                body = await response.json(content_type=None)
        except TimeoutError:
            raise OperatorError("the service did not answer in time; whether it was done is not known") from None
        except (aiohttp.ClientError, ValueError, OSError) as error:
            raise OperatorError(f"the service did not answer: {error or type(error).__name__}") from error
        if response.status >= 400:
            raise OperatorError(_refusal(body, response.status))
        return Answered(body, response.headers.get("ETag", ""))


class Answered:
    """A JSON body, and the ``ETag`` that came with it (``""``: none)."""

    def __init__(self, body: Any, etag: str) -> None:
        self.body = body
        self.etag = etag


def with_running(arguments: argparse.Namespace, work: Callable[[RunningParley], Awaitable[Result]]) -> Result:
    """Run ``work`` with the service of the configuration that the arguments name."""
    path = _socket(arguments)

    async def run() -> Result:
        connector = aiohttp.UnixConnector(str(path))
        async with aiohttp.ClientSession("http://parley", connector=connector, timeout=_TIMEOUT) as http:
            return await work(RunningParley(http))

    return asyncio.run(run())


def add_socket_option(parser: argparse.ArgumentParser) -> None:
    """``--socket PATH``."""
    parser.add_argument(
        "--socket", metavar="PATH", help="the Unix socket of the running service (default: where it should be)"
    )


def _socket(arguments: argparse.Namespace) -> Path:
    if arguments.socket is not None:
        likely = [Path(arguments.socket)]
    else:
        # Secrets are the service's own; this shell need not have them.
        likely = sockets_of_service(load(Path(arguments.config), None))
    for path in likely:
        try:
            if path.is_socket():
                return path
        except PermissionError:
            raise OperatorError(f"{path} is not for this user: ask as root, or as the service's own user") from None
    raise OperatorError(_MISSING.format(" or ".join(str(path) for path in likely)))


def _refusal(body: Any, status: int) -> str:
    if not isinstance(body, dict):
        return f"the service said no (status {status})"
    title, detail = str(body.get("title", "")), str(body.get("detail", ""))
    return f"{title}: {detail}" if detail else title or f"the service said no (status {status})"
