"""The REST API of the simulated Webex, as far as a bot needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web

from daemon.demo.webex_world import Hook, Json, Posted, Room, WebexWorld
from protocols.webex.objects import CARD
from protocols.webex.splitting import MOST_BYTES

_PAGE: Final = 50
_Shown = TypeVar("_Shown")


class WebexRefusedError(Exception):
    """A request is answered ``status`` and these words."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class WebexRoutes:
    """Each route's handler; the bot asks, nobody else may."""

    def __init__(self, world: WebexWorld) -> None:
        self._world = world

    def all(self) -> list[web.RouteDef]:
        """To be added to an application."""
        return [
            web.get("/v1/people/me", self._me),
            web.get("/v1/people/{id}", self._person),
            web.get("/v1/rooms", self._rooms),
            web.get("/v1/rooms/{id}", self._room),
            web.post("/v1/messages", self._post),
            web.get("/v1/messages", self._messages),
            web.get("/v1/messages/{id}", self._message),
            web.get("/v1/attachment/actions/{id}", self._action),
            web.post("/v1/webhooks", self._add_hook),
            web.get("/v1/webhooks", self._hooks),
            web.put("/v1/webhooks/{id}", self._change_hook),
            web.delete("/v1/webhooks/{id}", self._delete_hook),
        ]

    async def _me(self, request: web.Request) -> web.Response:
        return web.json_response(self._world.bot.shown())

    async def _person(self, request: web.Request) -> web.Response:
        return web.json_response(_found(self._world.people, request, "person").shown())

    async def _rooms(self, request: web.Request) -> web.Response:
        rooms = sorted(self._world.rooms.values(), key=lambda room: room.last_activity, reverse=True)
        kind = request.query.get("type")
        shown = [room for room in rooms if self._world.bot.id in room.members and kind in (None, room.type)]
        return _page(request, shown, Room.shown)

    async def _room(self, request: web.Request) -> web.Response:
        return web.json_response(_found(self._world.rooms, request, "space").shown())

    async def _post(self, request: web.Request) -> web.Response:
        asked = await _object(request)
        room = self._room_of(asked)
        for name in ("text", "markdown"):
            if len(asked.get(name, "").encode()) > MOST_BYTES:
                raise WebexRefusedError(400, "Message length is limited to a maximum of 7439 bytes.")
        attachments = asked.get("attachments", [])
        if not any(asked.get(name, "").strip() for name in ("text", "markdown")):
            raise WebexRefusedError(400, "Message must have text, markdown or files.")
        if len(attachments) > 1 or any(one.get("contentType") != CARD for one in attachments):
            raise WebexRefusedError(400, "Only one card may be attached to a message.")
        parent_id = asked.get("parentId", "")
        parent = self._world.messages.get(parent_id)
        if parent_id and (parent is None or parent.room is not room or parent.parent_id):
            raise WebexRefusedError(400, "The parent message does not exist, or is itself a reply.")
        posted = self._world.post(
            self._world.bot,
            room,
            text=asked.get("text", ""),
            markdown=asked.get("markdown", ""),
            parent_id=parent_id,
            attachments=attachments,
        )
        return web.json_response(posted.shown())

    def _room_of(self, asked: Mapping[str, Any]) -> Room:
        given = [name for name in ("roomId", "toPersonId", "toPersonEmail") if asked.get(name)]
        if len(given) != 1:
            raise WebexRefusedError(400, "Give one of roomId, toPersonId and toPersonEmail.")
        target = asked[given[0]]
        if given == ["roomId"]:
            room = self._world.rooms.get(target)
            if room is None or self._world.bot.id not in room.members:
                raise WebexRefusedError(404, "Could not find a space with the provided ID.")
            return room
        by_id = given == ["toPersonId"]
        person = self._world.people.get(target) if by_id else self._world.find_person(target)
        if person is None:
            raise WebexRefusedError(404, "Could not find a person with that ID or address.")
        return self._world.direct_room(person)

    async def _messages(self, request: web.Request) -> web.Response:
        room = self._world.rooms.get(request.query.get("roomId", ""))
        if room is None:
            raise WebexRefusedError(404, "Could not find a space with the provided ID.")
        if room.type == "group" and request.query.get("mentionedPeople") != "me":
            raise WebexRefusedError(403, "A bot lists only the messages of a group space that mention it.")
        wanted = [
            one
            for one in reversed(self._world.messages.values())
            if one.room is room and (room.type == "direct" or self._world.bot.id in one.mentioned)
        ]
        parent_id = request.query.get("parentId")
        return _page(request, [one for one in wanted if parent_id in (None, one.parent_id)], Posted.shown)

    async def _message(self, request: web.Request) -> web.Response:
        message = _found(self._world.messages, request, "message")
        if not self._world.is_seen(message):
            raise WebexRefusedError(404, "Could not find a message with the provided ID.")
        return web.json_response(message.shown())

    async def _action(self, request: web.Request) -> web.Response:
        return web.json_response(_found(self._world.actions, request, "attachment action").shown())

    async def _add_hook(self, request: web.Request) -> web.Response:
        asked = await _object(request)
        missing = [name for name in ("name", "targetUrl", "resource", "event") if not asked.get(name)]
        if missing:
            raise WebexRefusedError(400, f"{', '.join(missing)} cannot be null or empty.")
        hook = self._world.add_hook(
            asked["name"],
            asked["targetUrl"],
            asked["resource"],
            asked["event"],
            secret=asked.get("secret", ""),
            filter=asked.get("filter", ""),
        )
        return web.json_response(hook.shown())

    async def _hooks(self, request: web.Request) -> web.Response:
        return _page(request, list(self._world.hooks.values()), Hook.shown)

    async def _change_hook(self, request: web.Request) -> web.Response:
        hook = _found(self._world.hooks, request, "webhook")
        asked = await _object(request)
        if not asked.get("name") or not asked.get("targetUrl"):
            raise WebexRefusedError(400, "name and targetUrl cannot be null or empty.")
        hook.name, hook.target_url = asked["name"], asked["targetUrl"]
        hook.secret = asked.get("secret", hook.secret)
        if asked.get("status") == "active":
            hook.is_active, hook.failures = True, 0
        elif asked.get("status") == "inactive":
            hook.is_active = False
        return web.json_response(hook.shown())

    async def _delete_hook(self, request: web.Request) -> web.Response:
        del self._world.hooks[_found(self._world.hooks, request, "webhook").id]
        return web.Response(status=204)


def _found(kept: Mapping[str, _Shown], request: web.Request, what: str) -> _Shown:
    found = kept.get(request.match_info["id"])
    if found is None:
        raise WebexRefusedError(404, f"Could not find a {what} with the provided ID.")
    return found


async def _object(request: web.Request) -> Json:
    try:
        asked = msgspec.json.decode(await request.read())
    except msgspec.DecodeError as error:
        raise WebexRefusedError(400, "POST expects a request body of JSON.") from error
    if not isinstance(asked, dict):
        raise WebexRefusedError(400, "POST expects an object.")
    return asked


def _page(request: web.Request, all_of_them: Sequence[_Shown], show: Callable[[_Shown], Json]) -> web.Response:
    """One page, with the next one's address in ``Link``. Its place in the list is the cursor."""
    most, first = (int(request.query.get(name, usual)) for name, usual in (("max", _PAGE), ("cursor", 0)))
    headers = {}
    if first + most < len(all_of_them):
        following = request.url.update_query(cursor=str(first + most))
        headers["Link"] = f'<{following}>; rel="next"'
    shown = [show(one) for one in all_of_them[first : first + most]]
    return web.json_response({"items": shown}, headers=headers)
