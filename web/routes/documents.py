"""What there is to call: the OpenAPI document, and a page that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web

from web.auth import Needs
from web.endpoint import JSON, Answer, Asked, Endpoint
from web.openapi import openapi_document
from web.problems import ProblemError
from web.routes.console import STATIC, file_response

_ASK_AGAIN: Final = "no-cache"


class DocumentRoutes:
    """The document of ``endpoints`` and of these routes themselves."""

    def __init__(self, endpoints: Sequence[Endpoint], version: str, root: Path = STATIC) -> None:
        self._root = root / "docs"
        self._document = msgspec.json.encode(openapi_document([*endpoints, *self.endpoints()], version))

    def endpoints(self) -> list[Endpoint]:
        """Its routes."""
        return [
            Endpoint(
                method="GET",
                path="/openapi.json",
                tag="documents",
                summary="This document",
                handler=self.get_document,
                needs=Needs.DOCS,
                answers=(Answer(200, "OpenAPI 3.1.", {JSON: None}),),
            ),
            Endpoint(
                method="GET",
                path="/docs",
                tag="documents",
                summary="This document as a page",
                handler=self.get_docs,
                needs=Needs.DOCS,
                answers=(Answer(200, "The page.", {"text/html": None}),),
            ),
            Endpoint(
                method="GET",
                path="/docs/{file}",
                tag="documents",
                summary="The page's files",
                handler=self.get_docs_file,
                needs=Needs.DOCS,
                path_parameters={"file": "A file's name."},
                patterns={"file": r"[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]+)+"},
                answers=(Answer(200, "The file.", {"*/*": None}),),
                errors=(404,),
            ),
        ]

    async def get_document(self, asked: Asked[None, None]) -> web.Response:
        """The document."""
        return web.Response(body=self._document, content_type=JSON)

    async def get_docs(self, asked: Asked[None, None]) -> web.StreamResponse:
        """The page."""
        page = self._root / "index.html"
        if not page.is_file():
            raise ProblemError(503, "The page is not built", "It is built with the console; /openapi.json is there.")
        return file_response(page, _ASK_AGAIN)

    async def get_docs_file(self, asked: Asked[None, None]) -> web.StreamResponse:
        """A file of the page."""
        return file_response(self._root / asked.path("file"), _ASK_AGAIN)
