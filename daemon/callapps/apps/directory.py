"""The app that connects callers: it asks who or what they want, looks in the directory, makes sure, and transfers."""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec
import structlog
from msgspec import Meta

from daemon.callapps.contract import AppCall, GivenUpError, Heard, Listening
from daemon.directory.contract import Directory, DirectoryAwayError, Entry, Kind
from protocols.yes_no import YES_NO, after_no, yes_or_no

log = structlog.get_logger(__name__)

_SURE: Final = 0.99
"""The score of an entry whose name, code or number was given as it is."""
_LOOKED_AT: Final = 10
"""Matches among which those with a number are looked for."""

Sentences = Annotated[tuple[str, ...], Meta(min_length=1)]


class DirectoryOptions(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The options of the app ``directory``: what it says, and what it finds. Raises ``ValueError``."""

    greeting: str = "안녕하세요. 찾으시는 부서나 담당자, 업무를 말씀해 주세요. 내선 번호를 누르셔도 됩니다."
    again: Sentences = (
        "죄송하지만 찾지 못했습니다. 부서 이름이나 담당자 성함을 다시 말씀해 주세요.",
        "한 번 더 짧게 말씀해 주세요. 예를 들면, 인사팀, 또는 휴가 신청입니다.",
    )
    """Said instead of the greeting from the second time on; past their end the last again."""
    confirm: str = "{name}, 맞으신가요?"
    confirm_again: str = "{name} 쪽으로 연결해 드릴까요? 네, 또는 아니요로 말씀해 주세요."
    """Said where nothing was heard after ``confirm``."""
    which: str = "{names} 중에서 어디를 찾으시나요? 번호를 누르셔도 됩니다."
    """``{names}`` are those that fit equally well, with their numbers."""
    connecting: str = "{name}, 연결해 드리겠습니다. 잠시만 기다려 주세요."
    tries: Annotated[int, Meta(ge=1, le=10)] = 3
    """After so many times without success the caller gets the fall-back."""
    kinds: tuple[Kind, ...] = ()
    """Only these are found; none: all."""
    threshold: Annotated[float, Meta(ge=0, le=1)] | None = None
    """What scores less counts as not found; where it is not given, that of ``[directory]``."""
    margin: Annotated[float, Meta(ge=0, le=1)] = 0.1
    """What scores less than the best by no more than this may be what was meant."""
    most: Annotated[int, Meta(ge=2, le=6)] = 3
    """So many are offered at most."""
    extensions: tuple[str, ...] = ()
    """Regular expressions of extensions that may be pressed though they stand in no entry, matched whole."""

    def __post_init__(self) -> None:
        """See what a type does not say."""
        for key in ("confirm", "confirm_again", "connecting"):
            if "{name}" not in getattr(self, key):
                raise ValueError(f"{key} does not say {{name}}")
        if "{names}" not in self.which:
            raise ValueError("which does not say {names}")
        for pattern in self.extensions:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"extensions: {error}") from error


_USUAL: Final = DirectoryOptions()


async def connect(call: AppCall, *, directory: Directory, options: DirectoryOptions = _USUAL) -> None:
    """Ask who or what the caller wants, find it in the directory, and connect them."""
    try:
        await _Reception(call, directory, options).serve()
    except DirectoryAwayError as error:
        log.warning("directory_app_without_directory", call_id=call.call_id, why=str(error))
        raise GivenUpError("directory_away") from error


class _Offer(msgspec.Struct, frozen=True):
    """What may be meant, by the name by which it is offered. ``is_certain``: nobody needs to be asked."""

    entries: dict[str, Entry]
    is_certain: bool = False


class _Reception:
    def __init__(self, call: AppCall, directory: Directory, options: DirectoryOptions) -> None:
        self._call = call
        self._directory = directory
        self._options = options

    async def serve(self) -> None:
        """Raises :class:`GivenUpError` after so many tries, and :class:`DirectoryAwayError`."""
        await self._call.answer()
        again = self._options.again
        prompts = (self._options.greeting, *again)
        heard: Heard | None = None
        for number in range(self._options.tries):
            # What the caller said instead of an answer is the next thing to look for.
            asked = heard or await self._call.listen(prompts[min(number, len(again))])
            offer = await self._find(asked)
            name, heard = await self._choose(offer)
            if name:
                await self._connect(name, offer.entries[name].number)
                return
        raise GivenUpError("not_found")

    async def _find(self, heard: Heard) -> _Offer:
        if heard.ended is Listening.DIGITS:
            return await self._dialled(heard.digits.strip("*#"))
        if not heard.text:
            return _Offer({})
        options = self._options
        found = await self._directory.search(
            heard.text, limit=_LOOKED_AT, threshold=options.threshold, kinds=options.kinds
        )
        reachable = [match for match in found if match.entry.number]
        least = reachable[0].score - options.margin if reachable else 0.0
        close = [match.entry for match in reachable if match.score >= least]
        offered: dict[str, Entry] = {}
        for entry in close:
            offered.setdefault(_spoken(entry), entry)
        return _Offer(dict(list(offered.items())[: options.most]))

    async def _dialled(self, digits: str) -> _Offer:
        """Digits are never misheard: whose number or code they are, or nobody."""
        if not digits:
            return _Offer({})
        found = await self._directory.search(digits, limit=_LOOKED_AT, threshold=_SURE, kinds=self._options.kinds)
        for match in found:
            if match.entry.number and digits in (match.entry.number, match.entry.code):
                return _Offer({_spoken(match.entry): match.entry}, is_certain=True)
        if any(re.fullmatch(pattern, digits) for pattern in self._options.extensions):
            name = f"{' '.join(digits)}번"
            return _Offer({name: Entry(entry_id=digits, kind="person", name=name, number=digits)}, is_certain=True)
        return _Offer({})

    async def _choose(self, offer: _Offer) -> tuple[str, Heard | None]:
        """The name that the caller wants, ``""`` for none; and what they said instead, if that says anything."""
        names = list(offer.entries)
        if len(names) > 1:
            return await self._which(names)
        if not names or offer.is_certain:
            return "".join(names), None
        return await self._confirm(names[0])

    async def _which(self, names: list[str]) -> tuple[str, Heard | None]:
        offered = ", ".join(f"{number}번 {name}" for number, name in enumerate(names, 1))
        answer = await self._call.ask(self._options.which.replace("{names}", offered), names, tries=1)
        return (answer.choice, None) if answer.choice is not None else ("", _said(answer.heard))

    async def _confirm(self, name: str) -> tuple[str, Heard | None]:
        for prompt in (self._options.confirm, self._options.confirm_again):
            answer = await self._call.ask(prompt.replace("{name}", name), YES_NO, tries=1)
            if answer.choice == YES_NO[0]:
                return name, None
            if answer.heard.ended is not Listening.NO_INPUT:
                return "", _said(answer.heard)
        return "", None

    async def _connect(self, name: str, number: str) -> None:
        await self._call.say(self._options.connecting.replace("{name}", name), interruptible=False)
        self._call.outcome = "transferred"
        await self._call.transfer(number)


def _said(heard: Heard) -> Heard | None:
    """What was said instead of an answer, if that is more than a no."""
    if yes_or_no(heard.text) is False:
        heard = msgspec.structs.replace(heard, text=after_no(heard.text))
    return heard if heard.text or len(heard.digits) > 1 else None


def _spoken(entry: Entry) -> str:
    """How an entry is called to a caller: there may be two people of one name."""
    return f"{entry.team} {entry.name}" if entry.kind == "person" and entry.team else entry.name
