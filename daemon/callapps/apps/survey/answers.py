"""What one caller answers, on its way into the store."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import msgspec
import structlog

from daemon.stores.database import Database, DatabaseAwayError, RowRefusedError
from daemon.stores.survey_responses import SurveyAnswerRow, SurveyResponseRow, save_survey_response

log = structlog.get_logger(__name__)

_PATIENCE: Final = 2.0
"""Seconds that a caller waits for the store between two questions."""


class Answers:
    """Stores each answer as it comes. What the store did not take is tried again at the end, and lost if that fails."""

    def __init__(self, database: Database, call_id: str, survey: str) -> None:
        self._database = database
        self._response = SurveyResponseRow(call_id=call_id, survey=survey, begun_at=time.time())
        self._asked = 0
        self._waiting: list[SurveyAnswerRow] = []
        self._is_stored = False
        self._is_away = False
        """The store did not answer: the caller does not wait for it again."""

    async def begin(self) -> None:
        """The caller is there to be asked."""
        await self._store()

    async def keep(self, question: str, answer: str) -> None:
        """What came of the next question."""
        response = self._response
        self._waiting.append(
            SurveyAnswerRow(
                call_id=response.call_id,
                survey=response.survey,
                question=question,
                position=self._asked,
                answer=answer,
                answered_at=time.time(),
            )
        )
        self._asked += 1
        self._is_stored = False
        if not self._is_away:
            await self._store()

    def complete(self) -> None:
        """There are no more questions; to be stored by :meth:`flush`."""
        self._response = msgspec.structs.replace(self._response, completed_at=time.time())
        self._is_stored = False

    async def flush(self) -> None:
        """Store what is not stored yet, for the last time."""
        if self._is_stored:
            return
        await self._store()
        if not self._is_stored:
            survey = self._response.survey
            log.error("survey_answers_lost", app=survey, call_id=self._response.call_id, answers=len(self._waiting))

    async def _store(self) -> None:
        rows = list(self._waiting)
        try:
            async with asyncio.timeout(_PATIENCE), self._database.transaction() as connection:
                await save_survey_response(connection, self._response, rows)
        except (DatabaseAwayError, RowRefusedError, TimeoutError) as error:
            self._is_away = True
            log.warning("survey_answers_not_stored", app=self._response.survey, error=type(error).__name__)
        else:
            self._waiting = self._waiting[len(rows) :]
            self._is_stored = True
