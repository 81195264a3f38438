"""The commands we send to an event socket, each as the bytes of one write.

A line feed, a carriage return or a NUL in an argument would end the command early and let the rest of the argument
pass for another command: every argument is checked, and :class:`protocols.errors.LocalError` says which was wrong.
"""

from __future__ import annotations

from typing import NewType

import msgspec

from protocols.errors import LocalError

Command = NewType("Command", bytes)
"""A whole command, its blank line included. Write it at once: half a command holds back every event."""

_BREAKS = frozenset("\n\r\0")


class Subscription(msgspec.Struct, frozen=True):
    """The events a connection wants: names such as ``CHANNEL_ANSWER``, and the subclasses of ``CUSTOM`` events.

    ``CUSTOM`` itself is no name: every word after it counts as a subclass, so it is put last, and only with
    subclasses.
    """

    events: tuple[str, ...]
    subclasses: tuple[str, ...] = ()


def auth(password: str) -> Command:
    """``auth``: the answer to ``auth/request``."""
    return _command(f"auth {_text('password', password)}")


def api(name: str, args: str = "") -> Command:
    """``api``: run a command of the switch and wait for its output; until then this connection sees no event."""
    return _command(f"api {_called(name, args)}")


def bgapi(name: str, args: str = "", *, job_uuid: str) -> Command:
    """``bgapi``: run a command of the switch aside. A ``BACKGROUND_JOB`` event with ``job_uuid`` has its output."""
    return _command(f"bgapi {_called(name, args)}", f"Job-UUID: {_word('job_uuid', job_uuid)}")


def subscribe(subscription: Subscription) -> Command:
    """``event json``: send these events from now on, beside those asked for before."""
    names = [_word("event", name) for name in subscription.events]
    subclasses = [_word("subclass", name) for name in subscription.subclasses]
    if any(name.upper() == "CUSTOM" for name in names):
        raise LocalError("CUSTOM is no event to subscribe to: name the subclasses")
    if subclasses:
        names += ["CUSTOM", *subclasses]
    if not names:
        raise LocalError("a subscription needs at least one event")
    return _command(f"event json {' '.join(names)}")


def execute(
    leg_id: str, app: str, arg: str = "", *, event_uuid: str, event_lock: bool = False, loops: int = 1
) -> Command:
    """``sendmsg … execute``: queue the dialplan application ``app`` on the channel ``leg_id``.

    ``CHANNEL_EXECUTE_COMPLETE`` returns ``event_uuid`` as its ``Application-UUID``. With ``event_lock`` the next
    queued application waits until this one ends. ``loops`` is how often to run it, at least 1.
    """
    if loops < 1:
        raise LocalError(f"loops is {loops}, and must be at least 1")
    lines = [
        f"sendmsg {_word('leg_id', leg_id)}",
        "call-command: execute",
        f"execute-app-name: {_word('app', app)}",
    ]
    if arg:
        lines.append(f"execute-app-arg: {_text('arg', arg)}")
    if loops > 1:
        lines.append(f"loops: {loops}")
    if event_lock:
        lines.append("event-lock: true")
    return _command(*lines, f"Event-UUID: {_word('event_uuid', event_uuid)}")


def hangup(leg_id: str, cause: str) -> Command:
    """``sendmsg … hangup``: hang the channel up with a Q.850 cause by its name (``NORMAL_CLEARING`` …)."""
    return _command(
        f"sendmsg {_word('leg_id', leg_id)}", "call-command: hangup", f"hangup-cause: {_word('cause', cause)}"
    )


def exit_() -> Command:
    """``exit``: the switch answers ``+OK bye``, says goodbye and closes."""
    return _command("exit")


def _command(*lines: str) -> Command:
    return Command(("\n".join(lines) + "\n\n").encode())


def _called(name: str, args: str) -> str:
    return f"{_word('name', name)} {_text('args', args)}" if args else _word("name", name)


def _text(what: str, value: str) -> str:
    """``value``, once it is sure that it stays within its line."""
    if not _BREAKS.isdisjoint(value):
        raise LocalError(f"{what} holds a line break or a NUL, which the event socket cannot carry")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise LocalError(f"{what} is not text: {error.reason}") from None
    return value


def _word(what: str, value: str) -> str:
    """``value``, once it is sure that it is one word: a space would make two arguments of it."""
    if len(_text(what, value).split()) != 1 or value != value.strip():
        raise LocalError(f"{what} must be one word")
    return value
