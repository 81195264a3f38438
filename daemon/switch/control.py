"""What can be done to a leg of a FreeSWITCH.

Values from outside never reach the switch as more than values. It expands ``${…}`` in the arguments of applications,
functions of its API included, and takes blanks and braces apart in those of commands: what would be taken apart is
refused with :class:`LocalError` before a byte is sent, and in text to be spoken it is disarmed.
"""

from __future__ import annotations

import re
from uuid import uuid4

from daemon.calls.control import CallControl, Certainty, Outcome
from daemon.switch.command_link import CommandLink
from protocols.errors import LocalError

_GONE = "-ERR No such channel"
_LEG_ID = re.compile(r"[0-9A-Za-z_.:@+-]{1,128}")
_DIGITS = re.compile(r"[0-9*#A-D]{1,64}")
_CAUSE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_NUMBER = re.compile(r"[0-9A-Za-z*#+_.-]{0,64}")
_DESTINATION = re.compile(r"[0-9A-Za-z*#+_.-]{1,128}")
_ENDPOINT = re.compile(r"[0-9A-Za-z*#+_./:;=@-]{1,256}")


class SwitchControl(CallControl):
    """Acts over ``commands``. ``engine`` and ``voice`` speak; without them, those that the channel's variables name.

    ``margin`` is how many seconds the switch may take beyond an originate's ring time.
    """

    def __init__(self, commands: CommandLink, *, engine: str, voice: str, margin: float) -> None:
        self._commands = commands
        self._engine = engine
        self._voice = voice
        self._margin = margin

    async def answer(self, leg_id: str) -> Outcome:
        """As an application: ``uuid_answer`` in a race with the caller's hangup has left channels hanging."""
        return await self._commands.execute(_leg(leg_id), "answer")

    async def play(self, leg_id: str, path: str) -> Outcome:
        return await self._commands.execute(_leg(leg_id), "playback", _path(path))

    async def speak(self, leg_id: str, text: str) -> Outcome:
        words = text.replace("${", "$ {").strip()
        if not words:
            raise LocalError("there is no text to speak")
        if self._engine or self._voice:
            return await self._commands.execute(_leg(leg_id), "speak", f"{self._engine}|{self._voice}|{words}")
        # Alone, text with a bar would be taken for a voice and a text.
        return await self._commands.execute(_leg(leg_id), "speak", words.replace("|", " "))

    async def stop(self, leg_id: str) -> Outcome:
        return await self._commands.api("uuid_break", f"{_leg(leg_id)} all")

    async def record(self, leg_id: str, path: str) -> Outcome:
        return await self._commands.execute(_leg(leg_id), "record_session", _path(path))

    async def send_dtmf(self, leg_id: str, digits: str) -> Outcome:
        return await self._commands.api("uuid_send_dtmf", f"{_leg(leg_id)} {_checked('digits', _DIGITS, digits)}")

    async def originate(self, destination: str, *, caller: str, ring_time: float) -> Outcome:
        leg_id = str(uuid4())
        variables = (
            f"origination_uuid={leg_id}",
            f"origination_caller_id_number={_checked('caller', _NUMBER, caller)}",
            f"originate_timeout={max(1, round(ring_time))}",
            "ignore_early_media=true",
        )
        arguments = f"{{{','.join(variables)}}}{_checked('destination', _ENDPOINT, destination)} &park()"
        outcome = await self._commands.job("originate", arguments, within=ring_time + self._margin)
        return Outcome(outcome.certainty, True, leg_id) if outcome.ok else outcome

    async def hold(self, leg_id: str, on: bool) -> Outcome:
        return await self._commands.api("uuid_hold", _leg(leg_id) if on else f"off {_leg(leg_id)}")

    async def bridge(self, leg_id: str, other_leg_id: str) -> Outcome:
        return await self._commands.api("uuid_bridge", f"{_leg(leg_id)} {_leg(other_leg_id)}")

    async def transfer(self, leg_id: str, destination: str) -> Outcome:
        target = _checked("destination", _DESTINATION, destination)
        return await self._commands.api("uuid_transfer", f"{_leg(leg_id)} {target}")

    async def hang_up(self, leg_id: str, cause: str = "NORMAL_CLEARING") -> Outcome:
        outcome = await self._commands.api("uuid_kill", f"{_leg(leg_id)} {_checked('cause', _CAUSE, cause)}")
        if outcome.text.startswith(_GONE):
            return Outcome(Certainty.ANSWERED, True, "the leg is gone")
        return outcome


def _leg(leg_id: str) -> str:
    return _checked("leg_id", _LEG_ID, leg_id)


def _path(path: str) -> str:
    if not path or "${" in path:
        raise LocalError("the switch would not take that path as it is written")
    return path


def _checked(name: str, pattern: re.Pattern[str], value: str) -> str:
    if pattern.fullmatch(value) is None:
        raise LocalError(f"{name} holds what the switch would not take as a plain value")
    return value
