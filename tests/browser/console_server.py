"""A small server for tests of the console's page: the REST and `/live` it uses, over real sockets, told what to say.

It keeps to the payloads of :mod:`web.payloads` and knows no switch and no store. It is stricter than it must be where
that finds mistakes: its content security policy allows nothing but its own origin.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec
import socketio  # type: ignore[import-untyped]
from aiohttp import web

from daemon.calls.call import CallState, LegState
from daemon.calls.events import Direction
from daemon.calls.links import LinkState
from daemon.config import Role
from daemon.transcripts.utterance import Speaker
from tests.browser.served_inbox import ServedInbox
from tests.browser.served_people import ServedPeople
from web.payloads import CallPayload, LegPayload, LinkPayload, ResetPayload, SessionPayload, UtterancePayload

NAMESPACE = "/live"
POLICY = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
# Swagger UI draws its icons from data: addresses.
DOCS_POLICY = POLICY + "; img-src 'self' data:"
COOKIE = "session"


def leg(leg_id: str, *, caller: str, callee: str, at: float, **known: Any) -> LegPayload:
    """A leg that rings; ``known`` says what else it is."""
    fields: dict[str, Any] = {
        "leg_id": leg_id,
        "direction": Direction.INBOUND,
        "caller": caller,
        "caller_name": "",
        "callee": callee,
        "code": "",
        "state": LegState.RINGING,
        "created_at": at,
        "answered_at": None,
        "ended_at": None,
        "hangup_cause": "",
        "parked": False,
        "held": False,
        "peer_id": "",
    }
    return LegPayload(**(fields | known))


def call(call_id: str, *, caller: str, at: float, did: str = "15880000", **known: Any) -> CallPayload:
    """A call of one leg that rings; ``known`` says what else it is."""
    fields: dict[str, Any] = {
        "call_id": call_id,
        "origin": "freeswitch",
        "server": "main",
        "state": CallState.RINGING,
        "caller": caller,
        "caller_name": "",
        "callee": did,
        "did": did,
        "code": "",
        "app": "",
        "created_at": at,
        "answered_at": None,
        "ended_at": None,
        "hangup_cause": "",
        "disposition": None,
        "merged_into": None,
        "sensitive": False,
        "legs": [leg(f"{call_id}-a", caller=caller, callee=did, at=at)],
    }
    return CallPayload(**(fields | known))


class ConsoleServer:
    """Serves the built console from ``static`` and says to browsers what its methods are told."""

    def __init__(self, static: Path) -> None:
        self.epoch = "epoch-1"
        self.keep_ended = 300.0
        self.calls: dict[str, CallPayload] = {}
        self.links: dict[str, LinkPayload] = {}
        self.finals: dict[str, list[UtterancePayload]] = {}
        self.interims: dict[str, UtterancePayload] = {}
        self.watches: list[dict[str, Any]] = []
        """Every ``watch`` as it came in."""
        self.passwords = {"console": "right password"}
        self.role: Role = "operator"
        """Of everybody who signs in."""
        self.inbox = ServedInbox()
        self.refuse_for: int | None = None
        """Seconds for which nobody may sign in."""
        self.ready = True
        """Whether the server can tell who is signed in."""
        self.port = 0
        self._static = static
        self._sessions: set[str] = set()
        self._runner: web.AppRunner | None = None
        self._sio = socketio.AsyncServer(async_mode="aiohttp", transports=["websocket"])
        self._heard = asyncio.Condition()

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Serve, on the port of the time before."""
        self._sio = socketio.AsyncServer(
            async_mode="aiohttp", transports=["websocket"], ping_interval=10, ping_timeout=5, cors_allowed_origins=[]
        )
        self._sio.on("connect", self._connect, namespace=NAMESPACE)
        self._sio.on("watch", self._watch, namespace=NAMESPACE)
        self._sio.on("unwatch", self._unwatch, namespace=NAMESPACE)
        app = web.Application()
        app.on_response_prepare.append(self._secure)
        self._sio.attach(app)
        app.router.add_route("*", "/api/v1/session", self._session)
        self.inbox.add_to(app)
        ServedPeople().add_to(app)
        app.router.add_get("/", self._file)
        app.router.add_get("/docs", self._file)
        app.router.add_get("/openapi.json", self._openapi)
        app.router.add_static("/", self._static)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Go away, with every connection. Who is away stays away."""
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        await self._sio.shutdown()
        await runner.cleanup()

    def forget_sessions(self) -> None:
        """Nobody is signed in any more."""
        self._sessions.clear()

    async def watched(self, count: int) -> dict[str, Any]:
        """The ``count``-th watch, waiting for it."""
        async with self._heard:
            await self._heard.wait_for(lambda: len(self.watches) >= count)
        return self.watches[count - 1]

    # What it says

    async def tell_call(self, payload: CallPayload) -> None:
        """A call is new or changed."""
        self.calls[payload.call_id] = payload
        await self._emit("call", {"call": msgspec.to_builtins(payload)})

    async def tell_link(self, state: LinkState, *, server: str = "main", **known: Any) -> None:
        """The link to a switch changed."""
        now = time.time()
        fields: dict[str, Any] = {"since": now, "last_event_at": now, "detail": "", "gap": None}
        payload = LinkPayload(link=f"switch:{server}", server=server, state=state, **(fields | known))
        self.links[payload.link] = payload
        await self._emit("link", msgspec.to_builtins(payload))

    async def say(
        self, call_id: str, text: str, *, final: bool = True, tell: bool = True, **known: Any
    ) -> UtterancePayload:
        """Something is said on a call, with the next seq; ``tell`` false keeps it for who asks."""
        finals = self.finals.setdefault(call_id, [])
        fields: dict[str, Any] = {
            "call_id": call_id,
            "utterance_id": f"{call_id}-{len(finals) + 1}",
            "seq": len(finals) + 1 if final else 0,
            "leg_id": f"{call_id}-a",
            "speaker": Speaker.CALLER,
            "text": text,
            "start": None,
            "end": None,
            "said_at": time.time(),
            "final": final,
            "confidence": None,
            "vendor": "mindslab",
        }
        payload = UtterancePayload(**(fields | known))
        if final:
            finals.append(payload)
            self.interims.pop(payload.utterance_id, None)
        else:
            self.interims[payload.utterance_id] = payload
        if tell:
            await self.repeat(payload)
        return payload

    async def repeat(self, payload: UtterancePayload) -> None:
        """Send an utterance to who watches its call, whether it was sent before or not."""
        await self._emit("utterance", msgspec.to_builtins(payload), room=payload.call_id)

    async def _emit(self, name: str, payload: Any, room: str | None = None) -> None:
        await self._sio.emit(name, payload, namespace=NAMESPACE, room=room)

    # What browsers ask

    async def _connect(self, sid: str, environ: dict[str, Any]) -> None:
        request: web.Request = environ["aiohttp.request"]
        if request.cookies.get(COOKIE) not in self._sessions:
            raise socketio.exceptions.ConnectionRefusedError("not signed in")
        payload = {
            "epoch": self.epoch,
            "now": time.time(),
            "keep_ended": self.keep_ended,
            "calls": msgspec.to_builtins(list(self.calls.values())),
            "links": msgspec.to_builtins(list(self.links.values())),
        }
        await self._sio.emit("calls", payload, to=sid, namespace=NAMESPACE)

    async def _watch(self, sid: str, wish: dict[str, Any]) -> dict[str, Any]:
        call_id = wish["call_id"]
        async with self._heard:
            self.watches.append(wish)
            self._heard.notify_all()
        if call_id not in self.calls:
            return {"error": {"title": "No such call", "detail": "Neither live nor stored."}}
        finals = self.finals.get(call_id, [])
        if wish["epoch"] == self.epoch:
            for missed in finals[wish["after"].get(call_id, 0) :]:
                await self._sio.emit("utterance", msgspec.to_builtins(missed), to=sid, namespace=NAMESPACE)
        else:
            whole = ResetPayload(self.epoch, call_id, finals)
            await self._sio.emit("reset", msgspec.to_builtins(whole), to=sid, namespace=NAMESPACE)
        for interim in self.interims.values():
            if interim.call_id == call_id:
                await self._sio.emit("utterance", msgspec.to_builtins(interim), to=sid, namespace=NAMESPACE)
        await self._sio.enter_room(sid, call_id, namespace=NAMESPACE)
        return {"ok": True, "epoch": self.epoch}

    async def _unwatch(self, sid: str, wish: dict[str, Any]) -> dict[str, Any]:
        await self._sio.leave_room(sid, wish["call_id"], namespace=NAMESPACE)
        return {"ok": True, "epoch": self.epoch}

    async def _session(self, request: web.Request) -> web.Response:
        if not self.ready:
            return _problem(503, "The database is away")
        if request.method == "DELETE":
            self._sessions.discard(request.cookies.get(COOKIE, ""))
            return web.Response(status=204)
        if request.method == "POST":
            return await self._sign_in(request)
        if request.cookies.get(COOKIE) not in self._sessions:
            return _problem(401, "Not signed in")
        return self._account()

    async def _sign_in(self, request: web.Request) -> web.Response:
        if self.refuse_for is not None:
            return _problem(429, "Too many attempts", {"Retry-After": str(self.refuse_for)})
        wish = await request.json()
        if self.passwords.get(wish["username"]) != wish["password"]:
            return _problem(401, "Wrong name or password")
        token = f"token-{len(self._sessions)}-{time.monotonic_ns()}"
        self._sessions.add(token)
        response = self._account()
        response.set_cookie(COOKIE, token, httponly=True, samesite="Strict")
        return response

    def _account(self) -> web.Response:
        account = SessionPayload("console", self.role, full_numbers=True, extension="2002")
        return web.json_response(msgspec.to_builtins(account))

    async def _file(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(self._static / request.path.strip("/") / "index.html")

    async def _openapi(self, _: web.Request) -> web.Response:
        operation = {"summary": "What there is", "responses": {"200": {"description": "All of it"}}}
        document = {
            "openapi": "3.1.0",
            "info": {"title": "Example", "version": "1"},
            "paths": {"/api/v1/example": {"get": operation}},
        }
        return web.json_response(document)

    async def _secure(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = DOCS_POLICY if request.path.startswith("/docs") else POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"


def _problem(status: int, title: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"type": "about:blank", "title": title, "status": status}
    return web.json_response(body, status=status, headers=headers, content_type="application/problem+json")
