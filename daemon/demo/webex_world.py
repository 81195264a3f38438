"""What the simulated Webex keeps: people, rooms, messages, what was done with cards, and webhooks.

Ids look as Webex's do. A message of a group room is shown to the bot only where it mentions it, or is the bot's own.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import uuid4

import msgspec

Json = dict[str, Any]

_MARKED: Final = re.compile(r"\\(.)|[*_`~#>]")


class Person(msgspec.Struct, frozen=True):
    """Somebody. ``is_bot``: a program."""

    id: str
    name: str
    email: str
    is_bot: bool = False

    def shown(self) -> Json:
        """As the API shows it."""
        kind = "bot" if self.is_bot else "person"
        return {"id": self.id, "displayName": self.name, "emails": [self.email], "type": kind}


class Room(msgspec.Struct):
    """Where people are; ``last_activity`` is in Unix seconds."""

    id: str
    type: Literal["direct", "group"]
    title: str
    members: list[str]
    last_activity: float

    def shown(self) -> Json:
        """As the API shows it."""
        return {"id": self.id, "title": self.title, "type": self.type, "lastActivity": moment(self.last_activity)}


class Posted(msgspec.Struct, kw_only=True):
    """A message; ``created`` is in Unix seconds."""

    id: str
    room: Room
    author: Person
    created: float
    text: str
    markdown: str = ""
    html: str = ""
    parent_id: str = ""
    mentioned: list[str] = []
    attachments: list[Json] = []

    def told(self) -> Json:
        """What a webhook says of it."""
        return {
            "id": self.id,
            "roomId": self.room.id,
            "roomType": self.room.type,
            "personId": self.author.id,
            "personEmail": self.author.email,
            "created": moment(self.created),
        }

    def shown(self) -> Json:
        """As the API shows it: what is not there is left out."""
        more = {
            "text": self.text,
            "markdown": self.markdown,
            "html": self.html,
            "parentId": self.parent_id,
            "mentionedPeople": self.mentioned,
            "attachments": self.attachments,
        }
        return self.told() | {name: value for name, value in more.items() if value}


class Action(msgspec.Struct, frozen=True):
    """What somebody did with a card."""

    id: str
    message: Posted
    person: Person
    inputs: Mapping[str, Any]
    created: float

    def told(self) -> Json:
        """What a webhook says of it: neither the room's type nor the person's address."""
        return {
            "id": self.id,
            "type": "submit",
            "messageId": self.message.id,
            "personId": self.person.id,
            "roomId": self.message.room.id,
            "created": moment(self.created),
        }

    def shown(self) -> Json:
        """As the API shows it."""
        return self.told() | {"inputs": dict(self.inputs)}


class Hook(msgspec.Struct, kw_only=True):
    """A webhook; ``failures`` counts deliveries in a row that failed."""

    id: str
    name: str
    target_url: str
    resource: str
    event: str
    secret: str = ""
    filter: str = ""
    is_active: bool = True
    created: float
    failures: int = 0

    def shown(self) -> Json:
        """As the API shows it."""
        more = {"secret": self.secret, "filter": self.filter}
        return {
            "id": self.id,
            "name": self.name,
            "targetUrl": self.target_url,
            "resource": self.resource,
            "event": self.event,
            "status": "active" if self.is_active else "inactive",
            "created": moment(self.created),
        } | {name: value for name, value in more.items() if value}


Happened = Callable[[str, Json, str], None]
"""Told of something that the bot may know: its resource, what a webhook says of it, and who did it."""


class WebexWorld:
    """All of it. ``clock`` gives Unix seconds. ``happened`` is told of what was created, ``changed`` of each room in
    which something was."""

    def __init__(self, bot_name: str, bot_email: str, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.people: dict[str, Person] = {}
        self.rooms: dict[str, Room] = {}
        self.messages: dict[str, Posted] = {}
        self.actions: dict[str, Action] = {}
        self.hooks: dict[str, Hook] = {}
        self.happened: Happened = lambda _resource, _told, _actor: None
        self.changed: Callable[[Room], None] = lambda _room: None
        self.bot = self.add_person(bot_name, bot_email, is_bot=True)

    def add_person(self, name: str, email: str, *, is_bot: bool = False) -> Person:
        """Somebody more."""
        person = Person(new_id("PEOPLE"), name, email, is_bot)
        self.people[person.id] = person
        return person

    def find_person(self, email: str) -> Person | None:
        """Whose address that is."""
        return next((one for one in self.people.values() if one.email == email.lower()), None)

    def direct_room(self, person: Person) -> Room:
        """The room that somebody and the bot have to themselves; it is made where there is none."""
        for room in self.rooms.values():
            if room.type == "direct" and person.id in room.members:
                return room
        return self._room("direct", person.name, [person.id, self.bot.id])

    def group_room(self, title: str, *people: Person) -> Room:
        """A new room of these people and the bot."""
        return self._room("group", title, [*(person.id for person in people), self.bot.id])

    def _room(self, kind: Literal["direct", "group"], title: str, members: list[str]) -> Room:
        room = Room(new_id("ROOM"), kind, title, members, self._clock())
        self.rooms[room.id] = room
        return room

    def say(self, person: Person, room: Room, text: str, *, mention: bool = False, parent_id: str = "") -> Posted:
        """Somebody writes ``text``, after a mention of the bot where they mention it."""
        name = html.escape(self.bot.name)
        marked = f'<spark-mention data-object-type="person" data-object-id="{self.bot.id}">{name}</spark-mention> '
        return self.post(
            person,
            room,
            text=f"{self.bot.name} {text}" if mention else text,
            html=f"<p>{marked}{html.escape(text)}</p>" if mention else "",
            mentioned=[self.bot.id] if mention else [],
            parent_id=parent_id,
        )

    def post(self, author: Person, room: Room, *, text: str = "", markdown: str = "", **more: Any) -> Posted:
        """A message more. Of Markdown the text is what is left without its signs."""
        plain = text or _MARKED.sub(lambda found: found[1] or "", markdown)
        now = self._clock()
        posted = Posted(
            id=new_id("MESSAGE"), room=room, author=author, created=now, text=plain, markdown=markdown, **more
        )
        self.messages[posted.id] = posted
        room.last_activity = now
        self.changed(room)
        if self.is_seen(posted):
            self.happened("messages", posted.told(), author.id)
        return posted

    def act(self, person: Person, message: Posted, inputs: Mapping[str, Any]) -> Action:
        """Somebody does something with the card of ``message``."""
        action = Action(new_id("ATTACHMENT_ACTION"), message, person, inputs, self._clock())
        self.actions[action.id] = action
        self.happened("attachmentActions", action.told(), person.id)
        return action

    def delete(self, message: Posted) -> None:
        """Somebody takes back what they wrote."""
        del self.messages[message.id]
        self.changed(message.room)

    def add_hook(self, name: str, target_url: str, resource: str, event: str, **more: Any) -> Hook:
        """A webhook more."""
        hook = Hook(
            id=new_id("WEBHOOK"),
            name=name,
            target_url=target_url,
            resource=resource,
            event=event,
            created=self._clock(),
            **more,
        )
        self.hooks[hook.id] = hook
        return hook

    def is_seen(self, message: Posted) -> bool:
        """Whether the bot may see it."""
        if self.bot.id not in message.room.members:
            return False
        return message.room.type == "direct" or message.author is self.bot or self.bot.id in message.mentioned

    def said_by_bot(self, room: Room | None = None) -> list[str]:
        """What the bot wrote, oldest first, as it wrote it."""
        return [
            one.markdown or one.text
            for one in self.messages.values()
            if one.author is self.bot and room in (None, one.room)
        ]


def new_id(kind: str) -> str:
    """An id as Webex makes them."""
    return base64.b64encode(f"ciscospark://us/{kind}/{uuid4()}".encode()).decode().rstrip("=")


def moment(seconds: float) -> str:
    """Unix seconds as Webex writes a moment."""
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"
