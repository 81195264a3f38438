"""What a service of the chatbot is given, and what it answers.

A conversation moves between processes, so a service is a *step function*: it is called for each thing that a person
says, with the step that it asked for itself and what it has kept in ``slots``, and knows nothing else of before.

    async def greet(turn: Turn) -> Reply:
        \"\"\"인사를 합니다\"\"\"
        if turn.step == "":
            return ask("성함이 어떻게 되세요?", step="name")
        return done(f"{escaped(turn.text)} 님, 반갑습니다.")

It runs again for the same thing said where Parley died between the doing and the noting: what must not happen twice is
marked by ``turn.key``, or does no harm the second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Final

import msgspec

from daemon.actor import Actor
from daemon.calls.numbers import mask_number, mask_numbers_in
from daemon.chatbot.contract import Choice, Field
from daemon.config import Role
from daemon.roles import includes
from daemon.stores.audit import AuditRow
from daemon.stores.people import PersonRow

VIA: Final = "chat"
"""How somebody is known who acts by writing to the bot."""
YES: Final = "yes"
YES_NO: Final = (Choice("네", YES), Choice("아니요", "no"))
RESERVED_FIELDS: Final = frozenset({"choice", "conversation", "step"})
"""Names of what comes back with a card beside its fields."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a person said to a service.

    ``step`` is the one that it asked for, ``""`` at first; ``text`` what was written, at first what stood after the
    service's name, and ``whole`` with all that stood around it: of a service that was found by a sentence ``text`` may
    be empty, and what else the sentence says is there. ``choice`` is the value of what was chosen, by a button or in
    words, ``inputs`` the fields of a form as they were checked (a date as ``YYYY-MM-DD``); both are empty where nothing
    of that kind was asked.

    ``key`` is the same whenever the same thing said is handled again, and so is ``said_at``, when it was said; ``now``
    is later where nobody could hear it at first. Both are in Unix seconds, ``zone`` is the one by whose clocks people
    speak. ``sees_numbers``: phone numbers may be shown whole here, which they may in no room where others read along.
    """

    person: PersonRow
    key: str
    now: float
    said_at: float
    zone: tzinfo
    step: str = ""
    text: str = ""
    whole: str = ""
    choice: str = ""
    inputs: Mapping[str, str] = {}
    slots: Mapping[str, str] = {}
    sees_numbers: bool = False

    @property
    def today(self) -> date:
        """The date where people are, as they said it: from there they count tomorrow."""
        return datetime.fromtimestamp(self.said_at, self.zone).date()

    @property
    def yes(self) -> bool:
        """Whether the answer to :func:`confirm` was a yes."""
        return self.choice == YES

    @property
    def actor(self) -> Actor:
        """The person, as who asks for what is done."""
        return Actor(self.person.name, VIA)

    def may(self, role: Role) -> bool:
        """Whether the person has at least ``role``: viewers read, operators act."""
        return includes(self.person.role, role)

    def number(self, number: str) -> str:
        """A phone number as it may be shown here."""
        return number if self.sees_numbers else mask_number(number)

    def name(self, name: str) -> str:
        """A name as it may be shown here: a caller's may well be their number."""
        return name if self.sees_numbers else mask_numbers_in(name)

    def audit(self, action: str, subject: str, **detail: str) -> AuditRow:
        """The audit row of something that the person does."""
        return AuditRow(at=self.now, actor=self.person.name, via=VIA, action=action, subject=subject, detail=detail)


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a service answers; make it by :func:`done`, :func:`ask` or :func:`confirm`. ``step`` ``""`` ends it."""

    text: str
    step: str = ""
    slots: Mapping[str, str] = {}
    choices: tuple[Choice, ...] = ()
    fields: tuple[Field, ...] = ()
    submit: str = "확인"
    free: bool = False
    misread: bool = False


def done(text: str) -> Reply:
    """The last thing said. ``text`` is Markdown: of names and what people said ``escaped()`` is said."""
    return Reply(text=text)


def ask(
    text: str,
    *,
    step: str,
    slots: Mapping[str, str] | None = None,
    choices: Sequence[Choice | str] = (),
    fields: Sequence[Field] = (),
    submit: str = "확인",
    free: bool = False,
    misread: bool = False,
) -> Reply:
    """Ask something; the answer comes with ``step``, and with ``slots``, which must be all that is to be kept.

    With ``choices`` (of a text, title and value are the same) the answer is one of them, with ``fields`` a form that
    was checked; who answers otherwise is asked again, unless it is ``free``: then it comes as ``text``. A form of one
    field may be answered in words as well. ``misread`` says that it is asked again, since what was said was no answer,
    and nothing was done: where a service is asked for by those words, that is begun instead. Raises ``ValueError`` for
    what cannot be asked.
    """
    names = [field.name for field in fields]
    if not step:
        raise ValueError("what is asked has a step, which the answer comes with")
    if choices and fields:
        raise ValueError("give choices or fields")
    if len({*names} - RESERVED_FIELDS) != len(names):
        raise ValueError(f"each field needs its own name, and none of {', '.join(sorted(RESERVED_FIELDS))}")
    offered = tuple(Choice(choice, choice) if isinstance(choice, str) else choice for choice in choices)
    return Reply(
        text=text,
        step=step,
        slots=slots or {},
        choices=offered,
        fields=tuple(fields),
        submit=submit,
        free=free,
        misread=misread,
    )


def confirm(text: str, *, step: str, slots: Mapping[str, str] | None = None) -> Reply:
    """Ask whether; the answer is ``turn.yes``."""
    return ask(text, step=step, slots=slots, choices=YES_NO)
