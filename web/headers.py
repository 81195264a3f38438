"""The headers every response carries: what a browser may do with our pages, which is little."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from aiohttp import web

UNKEPT: Final = ("Cache-Control", "no-store")

_HOST: Final = re.compile(r"[A-Za-z0-9.\-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")

_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Server": "parley",
}

_POLICY: Final = (
    "default-src 'self'; connect-src {connect}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'"
)
# Swagger UI draws its icons from data: addresses.
_DOCS_POLICY: Final = _POLICY + "; img-src 'self' data:"


async def set_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Called for every response before its headers are written."""
    headers = response.headers
    docs = request.path == "/docs" or request.path.startswith("/docs/")
    headers.update(headers_of(request.headers.get("Host", ""), docs=docs))
    # What accounts are shown is for them; files say themselves how long they may be kept.
    headers.setdefault(*UNKEPT)


def headers_of(host: str, *, docs: bool = False) -> dict[str, str]:
    """What every response to a request for ``host`` says."""
    return {**_ALWAYS, "Content-Security-Policy": _policy(docs, host)}


# A server has few names; what else clients make up is bounded.
@lru_cache(maxsize=64)
def _policy(docs: bool, host: str) -> str:
    """A page may connect to our own origin, also by WebSocket: not every browser counts those as 'self'."""
    connect = f"'self' ws://{host} wss://{host}" if _HOST.fullmatch(host) else "'self'"
    return (_DOCS_POLICY if docs else _POLICY).format(connect=connect)
