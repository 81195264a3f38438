"""A route, declared once: the router, the checks before its handler and the OpenAPI document all come from this.

A handler is a coroutine function that takes an :class:`Asked` and returns a Struct (sent as JSON), ``None`` (204) or a
response it made itself. What is wrong with a request is answered before it runs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, Literal, TypeVar

import msgspec
from aiohttp import hdrs, web

from web.auth import Auth, Needs
from web.encoding import encode
from web.identity import Identity
from web.problems import ProblemError

Q = TypeVar("Q")
B = TypeVar("B")

Group = Literal["public", "private"]
"""Which listeners serve it: the configuration gives each the groups it has."""

JSON = "application/json"


class Asked(Generic[Q, B]):
    """A request that passed the checks: who asks, and what for.

    ``query`` and ``body`` are of the types that the endpoint declares, ``None`` where it declares none.
    """

    __slots__ = ("body", "identity", "query", "request")

    def __init__(self, request: web.Request, identity: Identity | None, query: Q, body: B) -> None:
        self.request = request
        self.identity = identity
        self.query = query
        self.body = body

    @property
    def somebody(self) -> Identity:
        """Who asks, on routes that somebody has to be signed in for."""
        if self.identity is None:
            raise RuntimeError("asked of a route that anybody may use")
        return self.identity

    def path(self, name: str) -> str:
        """The value of ``{name}`` in the path."""
        return self.request.match_info[name]


class Answer(msgspec.Struct, frozen=True):
    """What a route may answer. ``content``: media type → the Struct it carries, or ``None`` for text."""

    status: int
    description: str
    content: Mapping[str, type | None] = {}


Handler = Callable[[Asked[Any, Any]], Awaitable[msgspec.Struct | web.StreamResponse | None]]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One method on one path.

    ``path`` is a template; ``path_parameters`` says what each of its names is, ``patterns`` restricts one by a regular
    expression. ``query`` and ``body`` are Structs. ``errors`` are the statuses it answers with a problem beside those
    that follow from the rest (a body means 400, 413, 415 and 422, a query 422, a need 401, 403 and 503, a source's
    401, 403 and 413). ``head`` says
    whether a GET may also be asked as HEAD: not where asking changes something.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    tag: str
    summary: str
    handler: Handler
    answers: tuple[Answer, ...]
    group: Group = "private"
    needs: Needs = Needs.VIEWER
    description: str = ""
    path_parameters: Mapping[str, str] = {}
    patterns: Mapping[str, str] = {}
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    errors: tuple[int, ...] = ()
    head: bool = True

    def add_to(self, app: web.Application, auth: Auth) -> None:
        """Route requests to the handler, by way of the checks."""
        path = self.path
        for name, pattern in self.patterns.items():
            path = path.replace(f"{{{name}}}", f"{{{name}:{pattern}}}")
        if self.method == hdrs.METH_GET:
            app.router.add_get(path, self._guarded(auth), allow_head=self.head)
        else:
            app.router.add_route(self.method, path, self._guarded(auth))

    def _guarded(self, auth: Auth) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            identity = await auth.admit(request, self.needs)
            query = None if self.query is None else _read_query(request, self.query)
            body = None if self.body is None else await _read_body(request, self.body)
            return _response(await self.handler(Asked(request, identity, query, body)))

        return handle


def _read_query(request: web.Request, shape: type[msgspec.Struct]) -> msgspec.Struct:
    values = dict(request.query)
    if len(values) < len(request.query):
        raise ProblemError(422, "Not understood", "Each parameter may be given once.")
    try:
        return msgspec.convert(values, shape, strict=False)
    except msgspec.ValidationError as error:
        raise ProblemError(422, "Not understood", f"In the query: {error}.") from error


async def _read_body(request: web.Request, shape: type[msgspec.Struct]) -> msgspec.Struct:
    if request.content_type != JSON:
        raise ProblemError(415, "Unsupported Media Type", f"Send {JSON}.")
    try:
        return msgspec.json.decode(await request.read(), type=shape)
    except msgspec.ValidationError as error:
        raise ProblemError(422, "Not understood", f"In the body: {error}.") from error
    except msgspec.DecodeError as error:
        raise ProblemError(400, "Not JSON", "The body cannot be read.") from error


def _response(result: msgspec.Struct | web.StreamResponse | None) -> web.StreamResponse:
    if isinstance(result, web.StreamResponse):
        return result
    if result is None:
        return web.Response(status=204)
    return json_response(result)


def json_response(payload: msgspec.Struct, status: int = 200) -> web.Response:
    """``payload`` as JSON."""
    return web.Response(status=status, body=encode(payload), content_type=JSON)
