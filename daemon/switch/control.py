"""What can be done to a leg of a FreeSWITCH.

Values from outside never reach the switch as more than values. It expands ``${…}`` in the arguments of applications,
functions of its API included, and takes blanks and braces apart in those of commands: what would be taken apart is
refused with :class:`LocalError` before a byte is sent, and in text to be spoken it is disarmed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from daemon.calls.control import CallControl, Certainty, Outcome
from daemon.config import RecogniserConfig
from daemon.switch.command_link import CommandLink
from daemon.switch.dialling import Dialling
from protocols.errors import LocalError

_GONE = "-ERR No such channel"
_LEG_ID = re.compile(r"[0-9A-Za-z_.:@+-]{1,128}")
_DIGITS = re.compile(r"[0-9*#A-D]{1,64}")
_CAUSE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_NUMBER = re.compile(r"[0-9A-Za-z*#+_.-]{0,64}")
_DESTINATION = re.compile(r"[0-9A-Za-z*#+_.][0-9A-Za-z*#+_.-]{0,127}")
"""``uuid_transfer`` takes what begins with a hyphen for an option, such as ``-both``."""
_MARK = re.compile(r"[0-9A-Za-z._-]{0,128}")

MARK = "parley_app"
"""The channel variable that carries a leg's mark."""


class SwitchControl(CallControl):
    """Acts over ``commands``. ``engine`` and ``voice`` speak; without them, those that the channel's variables name.

    ``dialling`` says where numbers are called, ``margin`` how many seconds the switch may take beyond an originate's
    ring time. ``recognisers`` are the commands of each vendor. ``on_denied`` is called with a leg that the switch says
    it does not have, ``on_stop`` with one on which what is being said is about to be broken off.
    """

    def __init__(
        self,
        commands: CommandLink,
        *,
        engine: str,
        voice: str,
        dialling: Dialling,
        margin: float,
        recognisers: Mapping[str, RecogniserConfig],
        on_denied: Callable[[str], None],
        on_stop: Callable[[str], None],
    ) -> None:
        self._commands = commands
        self._engine = engine
        self._voice = voice
        self._dialling = dialling
        self._margin = margin
        self._recognisers = recognisers
        self._on_denied = on_denied
        self._on_stop = on_stop

    async def exists(self, leg_id: str) -> Outcome:
        outcome = await self._commands.api("uuid_exists", _leg(leg_id))
        if outcome.ok and outcome.text != "true":
            self._on_denied(leg_id)
            return Outcome(Certainty.ANSWERED, False, "the leg is gone")
        return outcome

    async def mark(self, leg_id: str, mark: str) -> Outcome:
        arguments = f"{_leg(leg_id)} {MARK} {_checked('mark', _MARK, mark)}"
        return await self._commands.api("uuid_setvar", arguments.rstrip())

    async def start_recogniser(self, leg_id: str, vendor: str) -> Outcome:
        recogniser = self._recognisers.get(vendor)
        return await self._run(leg_id, vendor, recogniser.start if recogniser is not None else "")

    async def stop_recogniser(self, leg_id: str, vendor: str) -> Outcome:
        recogniser = self._recognisers.get(vendor)
        return await self._run(leg_id, vendor, recogniser.stop if recogniser is not None else "")

    async def _run(self, leg_id: str, vendor: str, template: str) -> Outcome:
        """Run a configured command: a short one of the switch, or ``app NAME …`` for an application."""
        if not template:
            return Outcome(Certainty.NOT_SENT, False, f"no command is configured for {vendor}")
        name, _, arguments = template.replace("{leg_id}", _leg(leg_id)).partition(" ")
        if name != "app":
            return await self._commands.api(name, arguments)
        name, _, arguments = arguments.partition(" ")
        return await self._commands.execute(leg_id, name, arguments)

    async def answer(self, leg_id: str) -> Outcome:
        """As an application: ``uuid_answer`` in a race with the caller's hangup has left channels hanging."""
        return await self._commands.execute(_leg(leg_id), "answer")

    async def play(self, leg_id: str, path: str, *, words: str = "") -> Outcome:
        return await self._commands.execute(_leg(leg_id), "playback", _path(path), words=words or None)

    async def speak(self, leg_id: str, text: str) -> Outcome:
        words = text.replace("${", "$ {").strip()
        if not words:
            raise LocalError("there is no text to speak")
        # Alone, text with a bar would be taken for a voice and a text.
        named = self._engine or self._voice
        spoken = f"{self._engine}|{self._voice}|{words}" if named else words.replace("|", " ")
        return await self._commands.execute(_leg(leg_id), "speak", spoken, words=text.strip())

    async def stop(self, leg_id: str) -> Outcome:
        self._on_stop(_leg(leg_id))
        return await self._commands.api("uuid_break", f"{leg_id} all")

    async def record(self, leg_id: str, path: str) -> Outcome:
        return await self._commands.execute(_leg(leg_id), "record_session", _path(path))

    async def stop_recording(self, leg_id: str) -> Outcome:
        return await self._commands.api("uuid_record", f"{_leg(leg_id)} stop all")

    async def send_dtmf(self, leg_id: str, digits: str) -> Outcome:
        return await self._commands.api("uuid_send_dtmf", f"{_leg(leg_id)} {_checked('digits', _DIGITS, digits)}")

    def dials(self, number: str) -> bool:
        return self._dialling.reaches(number)

    async def originate(self, number: str, *, leg_id: str, caller: str, ring_time: float, mark: str = "") -> Outcome:
        endpoint = self._dialling.endpoint(number)
        variables = [
            f"origination_uuid={_leg(leg_id)}",
            f"originate_timeout={max(1, round(ring_time))}",
            "ignore_early_media=true",
        ]
        if _checked("caller", _NUMBER, caller):
            variables.append(f"origination_caller_id_number={caller}")
        if _checked("mark", _MARK, mark):
            variables.append(f"{MARK}={mark}")
        arguments = f"{{{','.join(variables)}}}{endpoint} &park()"
        outcome = await self._commands.job("originate", arguments, within=ring_time + self._margin)
        if outcome.ok or outcome.certainty is not Certainty.ANSWERED:
            return outcome
        return Outcome(outcome.certainty, False, outcome.text.removeprefix("-ERR").strip())

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
