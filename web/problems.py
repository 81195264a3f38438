"""Errors as RFC 9457 problems, everywhere: what we say no to, what the framework does, and what we did not expect."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from daemon.stores.database import DatabaseAwayError, RowRefusedError
from web.payloads import Problem

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"


class ProblemError(Exception):
    """A request is answered with this problem. ``detail`` tells the client what to do and nothing of our insides.

    ``closes``: the connection ends with it.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        headers: Mapping[str, str] | None = None,
        *,
        closes: bool = False,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = dict(headers or {})
        self.closes = closes


def problem_response(error: ProblemError) -> web.Response:
    """``error`` as a response."""
    response = web.Response(
        status=error.status, body=problem_body(error), content_type=CONTENT_TYPE, headers=error.headers
    )
    if error.closes:
        response.force_close()
    return response


def problem_body(error: ProblemError) -> bytes:
    """``error`` as the JSON that is sent."""
    return msgspec.json.encode(Problem(error.title, error.status, error.detail))


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a handler raises into a problem."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return problem_response(_of_framework(error, request))
    except (ConnectionError, web.RequestPayloadError) as error:
        # The body broke off, or is not what its headers say.
        return problem_response(ProblemError(400, "The body cannot be read", type(error).__name__))
    except Exception as error:
        return problem_response(problem_of(error, request.method))


def problem_of(error: Exception, method: str) -> ProblemError:
    """What a request of that method is told whose handler raised ``error``. What nobody expected is logged."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, RowRefusedError):
        # Text that the store cannot hold was asked for (a NUL in PostgreSQL): nothing is stored under that.
        log.info("request_refused_by_store", cause=error.cause)
        return ProblemError(422, "Not understood", "There is no such text.")
    if isinstance(error, DatabaseAwayError):
        log.warning("request_without_store", error=str(error))
        return ProblemError(503, "The store is away", "Try again in a moment.", {"Retry-After": "5"})
    log.error("request_failed", method=method, exc_info=error)
    return ProblemError(500, "Something went wrong here", "It has been logged.")


def _of_framework(error: web.HTTPException, request: web.Request) -> ProblemError:
    """The framework's own refusals, without its texts: they repeat what the client sent."""
    status = HTTPStatus(error.status)
    detail = ""
    headers = {}
    if isinstance(error, web.HTTPMethodNotAllowed):
        headers["Allow"] = ", ".join(sorted(error.allowed_methods))
        detail = f"Allowed here: {headers['Allow']}."
    elif isinstance(error, web.HTTPRequestEntityTooLarge):
        detail = f"A body may have {request.client_max_size} bytes."
    return ProblemError(status.value, status.phrase, detail, headers)
