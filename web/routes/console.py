"""The built console: its page for everybody, who is then asked to sign in, and its assets."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aiohttp import web

from web.auth import Needs
from web.endpoint import Answer, Asked, Endpoint
from web.problems import ProblemError

STATIC: Final = Path(__file__).resolve().parent.parent / "static"
"""Where the console is built to."""

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"

_NOT_BUILT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Parley</title></head><body>
<h1>The console is not built</h1>
<p>Parley runs, but this checkout has no console yet: <code>make console</code> builds it into <code>web/static</code>.
The installed package carries it.</p>
</body></html>
"""


class ConsoleRoutes:
    """Files below ``root``."""

    def __init__(self, root: Path = STATIC) -> None:
        self._root = root

    def endpoints(self) -> list[Endpoint]:
        """Its routes."""
        return [
            Endpoint(
                method="GET",
                path="/",
                tag="console",
                summary="The console",
                handler=self.get_page,
                needs=Needs.NOTHING,
                answers=(
                    Answer(200, "The page.", {"text/html": None}),
                    Answer(503, "The console is not built.", {"text/html": None}),
                ),
            ),
            Endpoint(
                method="GET",
                path="/admin",
                tag="console",
                summary="The console at its inbox",
                handler=self.get_inbox,
                needs=Needs.NOTHING,
                answers=(Answer(303, "Goes on to the console, which opens there."),),
            ),
            Endpoint(
                method="GET",
                path="/assets/{file}",
                tag="console",
                summary="Scripts, styles and fonts",
                description="Their names carry a hash of what is in them, so they may be kept for ever.",
                handler=self.get_asset,
                needs=Needs.NOTHING,
                path_parameters={"file": "A file's name."},
                patterns={"file": r"[A-Za-z0-9_.\-]+"},
                answers=(Answer(200, "The file.", {"*/*": None}),),
                errors=(404,),
            ),
            Endpoint(
                method="GET",
                path="/{file}",
                tag="console",
                summary="Icons and the like",
                handler=self.get_file,
                needs=Needs.NOTHING,
                path_parameters={"file": "A file's name."},
                patterns={"file": r"[A-Za-z0-9_\-]+\.(?:svg|png|ico|txt|webmanifest)"},
                answers=(Answer(200, "The file.", {"*/*": None}),),
                errors=(404,),
            ),
        ]

    async def get_page(self, asked: Asked[None, None]) -> web.StreamResponse:
        """The page, or what to do about its absence."""
        page = self._root / "index.html"
        if not page.is_file():
            return web.Response(status=503, text=_NOT_BUILT, content_type="text/html")
        return file_response(page, _ASK_AGAIN)

    async def get_inbox(self, _: Asked[None, None]) -> web.Response:
        """Where in the console one is stands behind the ``#``, which only a browser sees."""
        return web.Response(status=303, headers={"Location": "/#/inbox"})

    async def get_asset(self, asked: Asked[None, None]) -> web.StreamResponse:
        """One of the assets."""
        return file_response(self._root / "assets" / asked.path("file"), _FOR_EVER)

    async def get_file(self, asked: Asked[None, None]) -> web.StreamResponse:
        """A file beside the page."""
        return file_response(self._root / asked.path("file"), _ASK_AGAIN)


def file_response(path: Path, caching: str) -> web.FileResponse:
    """The file at ``path``; a problem 404 when there is none."""
    if not path.is_file():
        raise ProblemError(404, "Not Found")
    return web.FileResponse(path, headers={"Cache-Control": caching})
