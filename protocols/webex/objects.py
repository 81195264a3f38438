"""What the REST API answers with, of which only what is used is declared, and what a webhook tells.

Every object may have members that are not declared here, and a member that is ``null`` is as one that is not there. An
answer that lacks an ``id``, or has a member of another type than it should be, is no answer: ``RemoteError``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from protocols.errors import RemoteError
from protocols.webhooks.payload import read_object

CARD: Final = "application/vnd.microsoft.card.adaptive"
"""The content type of an attachment that is an adaptive card."""

_UTC: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z")


class WebexObject(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """Anything that has an id."""

    id: str


class WebexPerson(WebexObject, frozen=True, kw_only=True, gc=False):
    """A person or a bot. ``type`` is ``person``, ``bot`` or ``appuser``."""

    display_name: str = ""
    emails: list[str] = []
    type: str = "person"


class WebexRoom(WebexObject, frozen=True, kw_only=True, gc=False):
    """A room. ``type`` is ``direct`` or ``group``."""

    type: str = "group"
    last_activity: str = ""


class WebexMessage(WebexObject, frozen=True, kw_only=True, gc=False):
    """A message. ``parent_id`` is the one that its thread began with, ``""`` for none; ``html`` marks mentions."""

    room_id: str
    room_type: str = "group"
    person_id: str = ""
    person_email: str = ""
    text: str = ""
    markdown: str = ""
    html: str = ""
    parent_id: str = ""
    created: str = ""


class WebexCardAction(WebexObject, frozen=True, kw_only=True, gc=False):
    """What somebody did with the card of the message ``message_id``."""

    room_id: str
    message_id: str
    person_id: str
    inputs: dict[str, Any] = {}
    created: str = ""


class WebexHook(WebexObject, frozen=True, kw_only=True, gc=False):
    """A webhook. ``status`` is ``active`` or ``inactive``. ``secret`` is ``None`` where it is not shown."""

    name: str = ""
    target_url: str = ""
    resource: str = ""
    event: str = ""
    filter: str | None = None
    secret: str | None = None
    status: str = "active"
    created: str = ""


_Object = TypeVar("_Object", bound=WebexObject)


class Told(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a webhook tells: what was made, by its id, and by whom, ``""`` where it does not say."""

    resource: str
    id: str
    person_id: str = ""
    person_email: str = ""


def read_answer(body: bytes, kind: type[_Object]) -> _Object:
    """One object. Raises ``RemoteError``."""
    try:
        return _read(read_object(body), kind)
    except msgspec.ValidationError as error:
        raise RemoteError(f"what Webex answers is no {kind.__name__}") from error


def read_items(body: bytes, kind: type[_Object]) -> list[_Object]:
    """The objects of a page; those of them that are none are left out. Raises ``RemoteError`` for what is no page."""
    items = read_object(body).get("items")
    if not isinstance(items, list):
        raise RemoteError("what Webex answers is no list")
    found = []
    for item in items:
        try:
            found.append(_read(item, kind))
        except msgspec.ValidationError:
            continue
    return found


def read_told(body: bytes) -> Told | None:
    """What the body of a webhook tells; ``None`` where it does not say of what."""
    payload = read_object(body)
    data = payload.get("data")
    if not isinstance(data, Mapping) or not _text(data, "id"):
        return None
    return Told(
        resource=_text(payload, "resource"),
        id=_text(data, "id"),
        person_id=_text(data, "personId") or _text(payload, "actorId"),
        person_email=_text(data, "personEmail"),
    )


def told_of(message: WebexMessage, hook: WebexHook) -> bytes:
    """The body with which ``hook`` tells, or would have told, of ``message``."""
    data = {
        "id": message.id,
        "roomId": message.room_id,
        "roomType": message.room_type,
        "personId": message.person_id,
        "personEmail": message.person_email,
        "created": message.created,
    }
    told = {"id": hook.id, "name": hook.name, "resource": "messages", "event": "created"}
    return msgspec.json.encode(told | {"actorId": message.person_id, "status": hook.status, "data": data})


def read_inputs(inputs: Mapping[str, Any]) -> dict[str, str]:
    """What was pressed and filled in, as texts: ``true``, ``false`` and ``""`` for nothing; what is no value is left
    out."""
    return {name: text for name, value in inputs.items() if (text := _value(value)) is not None}


def problem_in(body: bytes) -> str:
    """What Webex says is wrong, on one line and within bounds, ``""`` where it says nothing."""
    message = _text(read_object(body), "message")
    return " ".join(message.split())[:200]


def unix_seconds(moment: str) -> float | None:
    """A moment as Webex writes it (``2026-03-02T09:00:00.000Z``) in Unix seconds; ``None`` for anything else."""
    if not _UTC.fullmatch(moment):
        return None
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return None


def _read(item: Any, kind: type[_Object]) -> _Object:
    if isinstance(item, Mapping):
        item = {name: value for name, value in item.items() if value is not None}
    return msgspec.convert(item, kind)


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def _value(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None
