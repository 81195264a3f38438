"""Signing in and out: by name and password, or once by a printed address."""

from __future__ import annotations

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from daemon.accounts.account import Session
from daemon.accounts.errors import SignInRefused, TooManyAttempts
from daemon.stores.database import DatabaseAwayError
from web.auth import COOKIE, Needs
from web.endpoint import JSON, Answer, Asked, Endpoint, json_response
from web.identity import Identity
from web.payloads import SessionPayload, SignIn
from web.problems import ProblemError
from web.sources import Sources
from web.views import View


class CodeQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query of a printed address."""

    code: Annotated[str, Meta(max_length=200, description="A code that works once; without one: the console.")] = ""


class SessionRoutes:
    """Who is signed in."""

    def __init__(self, sources: Sources) -> None:
        self._auth = sources.auth
        self._accounts = sources.accounts
        self._config = sources.config.web
        self._live = sources.live

    def endpoints(self) -> list[Endpoint]:
        """Its routes."""
        session = {JSON: SessionPayload}
        path = "/api/v1/session"
        return [
            Endpoint(
                method="POST",
                path=path,
                tag="session",
                summary="Sign in",
                description="The session is a cookie. Too many wrong passwords are answered 429 for a while.",
                handler=self.sign_in,
                needs=Needs.NOTHING,
                body=SignIn,
                answers=(Answer(200, "Signed in; the cookie is set.", session),),
                errors=(401, 403, 429, 503),
            ),
            Endpoint(
                method="GET",
                path=path,
                tag="session",
                summary="Who is signed in",
                handler=self.get_session,
                answers=(Answer(200, "The account.", session),),
            ),
            Endpoint(
                method="DELETE",
                path=path,
                tag="session",
                summary="Sign out",
                description="Ends the session of the cookie and every live connection made with it.",
                handler=self.sign_out,
                answers=(Answer(204, "Signed out."),),
            ),
            Endpoint(
                method="GET",
                path="/sign-in",
                tag="session",
                summary="Sign in by a printed address",
                handler=self.redeem,
                needs=Needs.NOTHING,
                query=CodeQuery,
                head=False,
                answers=(Answer(303, "Signed in, by the code or before; the cookie is set. Goes on to the console."),),
                errors=(401, 503),
            ),
        ]

    async def sign_in(self, asked: Asked[None, SignIn]) -> web.Response:
        """A name and a password become a session."""
        self._auth.require_same_origin(asked.request, strictly=False)
        try:
            session = await self._accounts.sign_in(
                asked.body.username, asked.body.password, self._address(asked.request)
            )
        except SignInRefused as error:
            raise ProblemError(401, "Not signed in", f"{error}.".capitalize()) from error
        except TooManyAttempts as error:
            wait = max(1, round(error.retry_after))
            raise ProblemError(
                429, "Too many attempts", f"Try again in {wait} s.", {"Retry-After": str(wait)}
            ) from error
        await self._end_former(asked.request)
        response = json_response(await self._payload(Identity(session.account, session.token)))
        self._set_cookie(response, session)
        return response

    async def get_session(self, asked: Asked[None, None]) -> SessionPayload:
        """Who asks."""
        return await self._payload(asked.somebody)

    async def sign_out(self, asked: Asked[None, None]) -> web.Response:
        """The cookie's session ends; an API token stays valid."""
        if asked.somebody.by_cookie:
            await self._accounts.sign_out(asked.somebody.token)
            self._live.cut_off(asked.somebody.token)
        response = web.Response(status=204)
        response.del_cookie(COOKIE, path="/", secure=self._config.secure_cookie, httponly=True, samesite="Strict")
        return response

    async def redeem(self, asked: Asked[CodeQuery, None]) -> web.Response:
        """A code becomes a session, and the browser goes on without it in its address."""
        if not asked.query.code:
            return web.Response(status=303, headers={"Location": "/"})
        try:
            session = await self._accounts.redeem(asked.query.code, self._address(asked.request))
        except SignInRefused as error:
            if await self._auth.identify(asked.request) is not None:
                return web.Response(status=303, headers={"Location": "/"})  # opened again, and signed in already
            raise ProblemError(401, "This address was used before or is too old", "Ask for a new one.") from error
        await self._end_former(asked.request)
        response = web.Response(status=303, headers={"Location": "/"})
        self._set_cookie(response, session)
        return response

    async def _end_former(self, request: web.Request) -> None:
        """The browser forgets its former session now, and so do we."""
        former = request.cookies.get(COOKIE)
        if former:
            await self._accounts.sign_out(former)
            self._live.cut_off(former)

    def _address(self, request: web.Request) -> str:
        address = self._auth.address(request)
        return "local" if address is None else str(address)

    async def _payload(self, identity: Identity) -> SessionPayload:
        account = identity.account
        try:
            extension = await self._accounts.extension_of(account)
        except DatabaseAwayError:
            extension = ""  # who was recognised before stays signed in
        return SessionPayload(account.name, account.role, self._auth.view(identity) is View.FULL, extension)

    def _set_cookie(self, response: web.Response, session: Session) -> None:
        response.set_cookie(
            COOKIE,
            session.token,
            max_age=int(self._config.session_lifetime),
            path="/",
            httponly=True,
            secure=self._config.secure_cookie,
            samesite="Strict",
        )
