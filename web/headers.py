"""The headers every response carries: what a browser may do with our pages, which is little."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

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
    for name, value in _ALWAYS.items():
        headers[name] = value
    docs = request.path == "/docs" or request.path.startswith("/docs/")
    headers["Content-Security-Policy"] = (_DOCS_POLICY if docs else _POLICY).format(connect=_connect_sources(request))
    # What accounts are shown is for them; files say themselves how long they may be kept.
    headers.setdefault("Cache-Control", "no-store")


def _connect_sources(request: web.Request) -> str:
    """Our own origin, also for WebSockets: not every browser counts those as 'self'."""
    host = request.headers.get("Host", "")
    return f"'self' ws://{host} wss://{host}" if _HOST.fullmatch(host) else "'self'"
