"""The demo's chat page: a newcomer is one of a few people, and writes to the bot at the simulated Webex."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aiohttp import web

from daemon.demo.webex_world import Json, Person, Posted, Room, WebexWorld

_FOLDER: Final = Path(__file__).parent / "chat_page"
_FILES: Final = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/markdown.js": ("markdown.js", "text/javascript"),
    "/card.js": ("card.js", "text/javascript"),
}
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_SHOWN: Final = 300
"""Messages of a room, the newest."""
_QUEUE: Final = 100


class WebexPage:
    """Serves the page and what it asks for. ``about`` says of each person, by their id, who they are.

    Nobody signs in: whoever reaches the simulated Webex may be anybody there.
    """

    def __init__(self, world: WebexWorld, about: Mapping[str, str]) -> None:
        self._world = world
        self._about = about
        self._watching: set[asyncio.Queue[str | None]] = set()
        world.changed = self._changed

    def add_to(self, app: web.Application) -> None:
        """Add its routes."""
        for path in _FILES:
            app.router.add_get(path, self._file)
        app.router.add_get("/chat/people", self._people)
        app.router.add_get("/chat/rooms/{id}", self._messages)
        app.router.add_post("/chat/rooms/{id}", self._say)
        app.router.add_post("/chat/actions/{id}", self._act)
        app.router.add_get("/chat/events", self._events)
        app.on_shutdown.append(self._end)

    async def _file(self, request: web.Request) -> web.Response:
        name, kind = _FILES[request.path]
        content = await asyncio.to_thread((_FOLDER / name).read_text, encoding="utf-8")
        return web.Response(text=content, content_type=kind, headers=_HEADERS)

    async def _people(self, request: web.Request) -> web.Response:
        people = [self._shown(self._world.people[person_id]) for person_id in self._about]
        return web.json_response({"bot": self._world.bot.name, "people": people})

    def _shown(self, person: Person) -> Json:
        rooms = [room for room in self._world.rooms.values() if person.id in room.members]
        return {
            "id": person.id,
            "name": person.name,
            "email": person.email,
            "about": self._about[person.id],
            "rooms": [{"id": room.id, "title": room.title, "type": room.type} for room in rooms],
        }

    async def _messages(self, request: web.Request) -> web.Response:
        room = self._room(request)
        messages = [one for one in self._world.messages.values() if one.room is room][-_SHOWN:]
        return web.json_response({"messages": [_message(one) for one in messages]})

    async def _say(self, request: web.Request) -> web.Response:
        asked = await _object(request)
        person, room = self._person(asked), self._room(request)
        text = asked.get("text")
        if person.id not in room.members or not isinstance(text, str) or not text.strip():
            raise web.HTTPBadRequest
        posted = self._world.say(person, room, text.strip(), mention=asked.get("mention") is True)
        return web.json_response({"id": posted.id})

    async def _act(self, request: web.Request) -> web.Response:
        asked = await _object(request)
        person, message = self._person(asked), self._world.messages.get(request.match_info["id"])
        inputs = asked.get("inputs")
        if message is None or person.id not in message.room.members or not isinstance(inputs, dict):
            raise web.HTTPBadRequest
        return web.json_response({"id": self._world.act(person, message, inputs).id})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: the id of each room in which something was said."""
        response = web.StreamResponse(headers=_HEADERS | {"Content-Type": "text/event-stream"})
        await response.prepare(request)
        changes: asyncio.Queue[str | None] = asyncio.Queue(_QUEUE)
        self._watching.add(changes)
        try:
            await response.write(b": listening\n\n")
            while (room_id := await changes.get()) is not None:
                await response.write(f"data: {room_id}\n\n".encode())
        except ConnectionResetError:
            pass  # the page was closed
        finally:
            self._watching.discard(changes)
        return response

    def _changed(self, room: Room) -> None:
        for changes in self._watching:
            # A page that does not read is behind anyway, and looks again when it comes back.
            if not changes.full():
                changes.put_nowait(room.id)

    async def _end(self, _app: web.Application) -> None:
        for changes in self._watching:
            while changes.full():
                changes.get_nowait()
            changes.put_nowait(None)

    def _room(self, request: web.Request) -> Room:
        room = self._world.rooms.get(request.match_info["id"])
        if room is None:
            raise web.HTTPNotFound
        return room

    def _person(self, asked: Json) -> Person:
        person = self._world.people.get(str(asked.get("person")))
        if person is None or person.id not in self._about:
            raise web.HTTPBadRequest
        return person


async def _object(request: web.Request) -> Json:
    """The JSON object that came. Another page's form cannot send one without being asked first."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        asked = await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest from error
    if not isinstance(asked, dict):
        raise web.HTTPBadRequest
    return asked


def _message(message: Posted) -> Json:
    return {
        "id": message.id,
        "personId": message.author.id,
        "author": message.author.name,
        "created": message.created,
        "text": message.text,
        "markdown": message.markdown,
        "parentId": message.parent_id,
        "card": message.attachments[0]["content"] if message.attachments else None,
    }
