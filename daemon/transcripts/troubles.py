"""What keeps the recorder from its work, and how bad that is."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import structlog

from daemon.health import Condition, Part

log = structlog.get_logger(__name__)

LATE = 5.0
"""From how many seconds on a waiting row means that the database or the disk does not keep up."""


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """What the recorder has in hand: how many rows, since when the oldest (Unix seconds), and is memory full."""

    rows: int
    since: float | None
    full: bool


class Troubles:
    """Remembers whether the database is away and whether the spool can be written; logs each change once."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.database: str | None = None
        """Why the database is away."""
        self.spool: str | None = None
        """Why the spool cannot be written."""
        self._clock = clock
        self._away_since = 0.0

    def database_away(self, error: BaseException) -> None:
        """The database, or the spool's reading end, did not do its part."""
        if self.database is None:
            self._away_since = self._clock()
            log.warning("database_away", error=str(error))
        self.database = str(error)

    def database_back(self) -> None:
        """A commit or a ping went well."""
        if self.database is not None:
            log.info("database_back", away=round(self._clock() - self._away_since, 3))
        self.database = None

    def spool_refuses(self, error: BaseException) -> None:
        """Rows could not be appended to the spool."""
        if self.spool is None:
            log.error("spool_refuses", error=str(error))
        self.spool = str(error)

    def spool_accepts(self) -> None:
        """Rows were appended."""
        if self.spool is not None:
            log.info("spool_accepts_again")
        self.spool = None

    def part(self, waiting: Waiting, counts: dict[str, int]) -> Part:
        """For health: ``DEGRADED`` while rows wait longer than they should, ``DOWN`` where they cannot be kept at all.

        ``counts`` are figures since the start; of them ``lost``, ``unreadable`` and ``rejected`` are worth words.
        """
        age = 0.0 if waiting.since is None else max(0.0, self._clock() - waiting.since)
        words = []
        if self.database is not None:
            words.append(f"the database is away: {self.database}")
        elif age > LATE:
            words.append("the database or the disk does not keep up")
        if self.spool is not None:
            words.append(f"the spool cannot be written: {self.spool}")
        if words:
            words.append(f"{waiting.rows} rows wait, the oldest for {age:.0f} s")
        if counts["lost"]:
            words.append(f"{counts['lost']} rows were lost")
        if counts["unreadable"]:
            words.append(f"{counts['unreadable']} rows became unreadable in the spool (.damaged)")
        if counts["rejected"]:
            words.append(f"{counts['rejected']} rows were refused and set aside")
        if waiting.full or (self.database is not None and self.spool is not None):
            condition = Condition.DOWN
        elif self.database is not None or self.spool is not None or age > LATE:
            condition = Condition.DEGRADED
        else:
            condition = Condition.OK
        numbers = {"waiting": float(waiting.rows), "waiting_seconds": age}
        return Part(condition, "; ".join(words), numbers | {name: float(count) for name, count in counts.items()})
