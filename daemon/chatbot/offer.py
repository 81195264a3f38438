"""The services that there are, and which of them somebody means."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Protocol

import msgspec
import structlog

from daemon.chatbot.definition import Definition, Step
from daemon.chatbot.phrases import plain
from daemon.directory.contract import Directory, DirectoryAwayError, Entry, Kind, Match
from daemon.roles import includes
from protocols.korean_dates import with_days_as

log = structlog.get_logger(__name__)

_LOOKED_AT: Final = 20
_MARGIN: Final = 0.1
"""What scores less than the best by no more than this may be what was meant."""
_SURE: Final = 0.55
"""Below, what was found is offered and not begun, be it one alone."""
_ALL_OF_IT: Final = 0.7
"""From here on nearly all of the text is accounted for by a service's names."""
_TODAY: Final = "오늘"
_MOST: Final = 6
_LONGEST_TITLE: Final = 5
"""Words of a title that something may follow."""
_PARTICLE: Final = re.compile(r"(?:\s?님)?\s?(?:에게|한테|께)$|\s?님$|(?<=[0-9])\s?으?로$")
"""What stands behind a name, or behind a number; a name may itself end in 로."""
_INITIALS: Final = re.compile(r"[ㄱ-ㅎ\s]+")
_EVERY_ROLE: Final = "admin"
"""It is offered everything."""
_KINDS: Final[tuple[Kind, ...]] = ("service",)


class WordIndex(Protocol):
    """Finds entries as the directory does, among those that are put into it."""

    def put(self, entry: Entry) -> None:
        """Add an entry, or replace the one of its id."""

    def remove(self, entry_id: str) -> None:
        """Remove the entry of that id, where there is one."""

    def search(self, text: str, *, limit: int, threshold: float, kinds: Collection[Kind] = ()) -> list[Match]:
        """The best matches, best first."""


class Service(msgspec.Struct, frozen=True):
    """A service with all it needs."""

    definition: Definition
    step: Step

    @property
    def name(self) -> str:
        """By which the configuration knows it."""
        return self.definition.config.name

    @property
    def title(self) -> str:
        """What people read."""
        return self.definition.title


class Found(msgspec.Struct, frozen=True):
    """What may be meant, best first; ``rest`` is what stood after the service's name. ``is_sure``: begin it.

    ``withheld`` is what was asked for where that is nothing that this person may do.
    """

    services: Sequence[Service]
    rest: str = ""
    is_sure: bool = False
    withheld: Service | None = None


class Offer:
    """All services. ``index`` is empty: their own words are put into it; ``directory`` has those of its entries whose
    code is a service's."""

    def __init__(
        self, services: Iterable[Service], directory: Directory, index: WordIndex, *, threshold: float
    ) -> None:
        self._services = {service.name: service for service in services}
        self._directory = directory
        self._index = index
        self._threshold = threshold
        self._by_code: dict[str, Service] = {}
        self._by_title: dict[str, Service] = {}
        self._by_ending: dict[str, Service] = {}
        for service in self._services.values():
            self._by_code.setdefault((service.definition.config.code or service.name).casefold(), service)
            for title in (service.name, service.title):
                self._by_title.setdefault(plain(title), service)
            index.put(_entry(service))
        for service in self._services.values():
            for title in service.definition.titles:
                self._by_title.setdefault(plain(title), service)
            for ending in service.definition.endings:
                self._by_ending.setdefault(_together(ending), service)
        self._by_word = self._words()

    def _words(self) -> dict[str, Service]:
        """What stands in the configuration goes before what a built-in one is called elsewhere."""
        by_word = dict(self._by_title)
        for words in ("config", "definition"):
            for service in self._services.values():
                definition = service.definition
                for word in definition.config.words if words == "config" else definition.words:
                    by_word.setdefault(plain(word), service)
        return by_word

    def of(self, role: str) -> Mapping[str, Service]:
        """What ``role`` is offered, by name."""
        return {name: service for name, service in self._services.items() if includes(role, service.definition.role)}

    def titled(self, text: str, role: str) -> Found | None:
        """The service whose name or title ``text`` is, or begins with."""
        offered = self.of(role)
        words = text.split()
        for count in range(min(len(words), _LONGEST_TITLE), 0, -1):
            service = self._by_title.get(plain(" ".join(words[:count])))
            if service is not None and service.name in offered:
                return Found([service], " ".join(words[count:]), is_sure=True)
        return None

    def named(self, text: str, role: str) -> Found | None:
        """The service that one of its words says, or :meth:`titled` so."""
        service = self._by_word.get(plain(text))
        if service is not None and service.name in self.of(role):
            return Found([service], is_sure=True)
        return self.titled(text, role)

    def commanded(self, text: str, role: str) -> Found | None:
        """The service that ``text`` asks for in the very words that there are for it."""
        return self.named(text, role) or self._ended(text, role)

    def _ended(self, text: str, role: str) -> Found | None:
        """The service that ``text`` asks for at its end, as Korean does, of whom or what stands before: without the
        particle between the two."""
        offered = self.of(role)
        words = text.split()
        for begin in range(max(0, len(words) - _LONGEST_TITLE), len(words)):
            service = self._by_ending.get(_together(" ".join(words[begin:])))
            if service is not None and service.name in offered:
                return Found([service], _PARTICLE.sub("", " ".join(words[:begin])), is_sure=True)
        return None

    async def find(self, text: str, role: str) -> Found:
        """What ``text`` may mean: by name, else by what is nearly so, here and in the directory."""
        commanded = self.commanded(text, role)
        if commanded is not None:
            return commanded
        commanded = self.commanded(text, _EVERY_ROLE)
        if commanded is not None:
            return Found([], withheld=commanded.services[0])
        offered = self.of(role)
        of_a_day = self._of_a_day(text, offered)
        if of_a_day is not None:
            return of_a_day
        matches = await self._matches(text)
        scores: dict[str, float] = {}
        for service, score in matches:
            if service.name in offered:
                scores[service.name] = max(score, scores.get(service.name, 0.0))
        best = max(scores.values(), default=0.0)
        told = await self._told(text, offered.values(), better_than=_more_than(best, text))
        if told is not None or not scores:
            asked_for = [service for service, score in matches if score >= _ALL_OF_IT]
            return told or Found([], withheld=asked_for[0] if asked_for else None)
        close = sorted((name for name in scores if scores[name] >= best - _MARGIN), key=lambda name: -scores[name])
        return Found([offered[name] for name in close[:_MOST]], is_sure=len(close) == 1 and best >= _SURE)

    def _of_a_day(self, text: str, offered: Mapping[str, Service]) -> Found | None:
        """The service that ``text`` asks for of some day, as its words do of today."""
        asked = with_days_as(text, _TODAY)
        if _TODAY not in asked:
            return None
        found = self._index.search(asked, limit=1, threshold=max(_ALL_OF_IT, self._threshold))
        service = offered.get(found[0].entry.entry_id) if found else None
        return Found([service], is_sure=True) if service is not None and service.definition.knows_days else None

    async def _told(self, text: str, offered: Iterable[Service], *, better_than: float) -> Found | None:
        """The service that tells of whom or what ``text`` names, rather than asks for."""
        for service in offered:
            kinds = service.definition.tells_of
            try:
                found = await self._directory.search(text, limit=_LOOKED_AT, kinds=kinds) if kinds else []
            except DirectoryAwayError:
                return None
            found = [match for match in found if self._is_told(match.entry)]
            if found and found[0].score > max(better_than, _SURE):
                return Found([service], text.strip(), is_sure=True)
        return None

    def _is_told(self, entry: Entry) -> bool:
        """A service of the directory is told of where it can be called, and is not one to be begun here."""
        return entry.kind != "service" or (entry.number != "" and entry.code.casefold() not in self._by_code)

    async def _matches(self, text: str) -> list[tuple[Service, float]]:
        own = self._index.search(text, limit=_LOOKED_AT, threshold=self._threshold)
        found = [(self._services[match.entry.entry_id], match.score) for match in own]
        try:
            listed = await self._directory.search(text, limit=_LOOKED_AT, kinds=_KINDS)
        except DirectoryAwayError as error:
            log.warning("chatbot_without_directory", why=str(error))
            return found
        of_services = ((self._by_code.get(match.entry.code.casefold()), match.score) for match in listed)
        return found + [(service, score) for service, score in of_services if service is not None]


def _more_than(best: float, text: str) -> float:
    """What somebody must score more than to be meant rather than a service that scores ``best``: consonants alone are
    mostly a name's."""
    return best + _MARGIN if best and not _INITIALS.fullmatch(text.strip()) else best


def _together(text: str) -> str:
    """Without the blanks, which people set in such words as they please."""
    return plain(text).replace(" ", "")


def _entry(service: Service) -> Entry:
    definition = service.definition
    return Entry(
        entry_id=service.name,
        kind="service",
        name=service.title,
        description=definition.description,
        keywords=(service.name, *definition.words),
    )
