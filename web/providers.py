"""Requests of providers: whoever sends them is known by the rules of its source, never by a session."""

from __future__ import annotations

from typing import Protocol

from aiohttp import web

from web.problems import ProblemError


class Providers(Protocol):
    """Knows the configured sources."""

    async def admit(self, request: web.Request, source: str) -> bytes:
        """The raw body of a request that ``source`` sent, verified.

        Raises :class:`~web.problems.ProblemError`: 401 or 403 for anybody else, 413 for a body that is too large.
        """


class NoProviders(Providers):
    """No source is configured: nobody is let in."""

    async def admit(self, request: web.Request, source: str) -> bytes:
        """Refuse."""
        raise ProblemError(401, "Not known", f"No source {source} is configured.")
