"""The actions that Parley asks of an Asterisk server by way of the gateway, checked before they are sent."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from protocols.dcmiws.action_ids import ActionId
from protocols.dcmiws.frames import check_value, encode_request
from protocols.errors import LocalError

_WORD = re.compile(r"[^\s\"'\\\x00-\x1f]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\([A-Za-z0-9_]+\))?")


class Action(msgspec.Struct, frozen=True, gc=False):
    """``fields`` without the ActionID. ``repeatable``: asking it twice does no more than asking it once."""

    fields: tuple[tuple[str, str], ...]
    repeatable: bool = False

    @property
    def name(self) -> str:
        """What it is called."""
        return self.fields[0][1]

    def encode(self, server_id: int, action_id: ActionId) -> bytes:
        """As a frame. Raises ``LocalError`` that names the field which cannot be sent."""
        return encode_request(server_id, [*self.fields, ("ActionID", action_id.text())])


class Originate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A call that the server places: ``channel`` rings, and who answers is sent to ``exten`` in ``context``.

    ``ring_time`` is in seconds. ``variables`` are names and values of channel variables, set on both halves of a Local
    channel. ``channel_id`` and ``other_channel_id`` choose the ``Uniqueid`` of the channel and of its other half.
    """

    channel: str
    context: str
    exten: str
    ring_time: float = 30.0
    caller_name: str = ""
    caller_number: str = ""
    variables: Sequence[tuple[str, str]] = ()
    channel_id: str = ""
    other_channel_id: str = ""


def ping() -> Action:
    """Whether the server is there. The name is the vendor's, small letters and all."""
    return Action((("Action", "ping"),), repeatable=True)


def core_show_channels() -> Action:
    """Every channel, as a list of events."""
    return Action((("Action", "CoreShowChannels"),), repeatable=True)


def database_get(family: str, key: str) -> Action:
    """Read an entry of the server's database."""
    return _database("get", repeatable=True, family=family, key=key)


def database_put(family: str, key: str, value: str) -> Action:
    """Set an entry. The console's command line cannot carry a value with spaces."""
    return _database("put", repeatable=True, family=family, key=key, value=value)


def database_del(family: str, key: str) -> Action:
    """Remove an entry."""
    return _database("del", repeatable=False, family=family, key=key)


def originate(wanted: Originate) -> Action:
    """Place a call without waiting for its answer: waiting would block the session that all clients share."""
    if wanted.ring_time <= 0:
        raise LocalError("ring_time must be above 0")
    for what, text in (("channel", wanted.channel), ("context", wanted.context), ("exten", wanted.exten)):
        if not text or not _WORD.fullmatch(text):
            raise LocalError(f"{what} is empty or has a space, quote or backslash in it")
    for what in ("<", ">"):
        if what in wanted.caller_name or what in wanted.caller_number:
            raise LocalError(f"the caller's name or number has a {what} in it, which sets the number apart")
    fields = [
        ("Action", "Originate"),
        ("Channel", wanted.channel),
        ("Context", wanted.context),
        ("Exten", wanted.exten),
        ("Priority", "1"),
        ("Timeout", str(round(wanted.ring_time * 1000))),
        *(("Variable", _variable(name, value)) for name, value in wanted.variables),
    ]
    if wanted.caller_number or wanted.caller_name:
        fields.append(("Callerid", f"{wanted.caller_name} <{wanted.caller_number}>".lstrip()))
    fields += [("EarlyMedia", "true"), ("Async", "yes")]
    if wanted.channel_id:
        fields.append(("ChannelId", wanted.channel_id))
    if wanted.other_channel_id:
        fields.append(("OtherChannelId", wanted.other_channel_id))
    return Action(tuple(fields))


def check_supplied(what: str, text: str) -> None:
    """Raise ``LocalError`` naming ``what`` for text of people that could mean more than itself to the server: a space
    parts a command's words, a comma the fields of a destination and the values of variables."""
    found = re.search(r"[\s,\"'\\\x00-\x1f\x7f]", text)
    if found is not None:
        names = {" ": "space", ",": "comma", '"': "quote", "'": "quote", "\\": "backslash", "\n": "line break"}
        raise LocalError(f"{what} has a {names.get(found[0], 'character that cannot be sent')} in it")
    check_value(what, text)


def _variable(name: str, value: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise LocalError(f"{name[:40]!r} is no name of a channel variable")
    if "," in value:
        raise LocalError(f"the variable {name} has a comma in it: Asterisk would cut its value there")
    check_value(f"the variable {name}", value)
    return f"{name}={value}"


def _database(verb: str, *, repeatable: bool, **words: str) -> Action:
    for what, word in words.items():
        if not _WORD.fullmatch(word):
            raise LocalError(f"the {what} of a database entry is empty or has a space, quote or backslash in it")
    command = " ".join(("database", verb, *words.values()))
    return Action((("Action", "Command"), ("Command", command)), repeatable=repeatable)
