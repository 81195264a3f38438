"""``parley survey``: what callers answered."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from daemon.calls.numbers import mask_number
from daemon.commands.configured import with_database
from daemon.commands.moments import moment
from daemon.commands.parser import Verbs, add_verbs
from daemon.config import Config
from daemon.errors import ExitCode, OperatorError
from daemon.stores.database import Database
from daemon.stores.survey_responses import (
    SurveyCount,
    SurveyResponse,
    survey_counts,
    survey_questions,
    survey_responses_of,
)
from protocols.spreadsheet import csv_table, harmless

_COLUMNS = ("call_id", "begun_at", "completed", "caller", "did")


def register(verbs: Verbs) -> None:
    """Add ``survey list`` and ``survey export``."""
    below = add_verbs(verbs, "survey", "what callers answered to the app survey")
    listing = below("list", "list the surveys, and how many were asked", description="List the surveys.")
    listing.set_defaults(command=_list)
    export = below(
        "export",
        "write the answers of a survey as CSV",
        description="Write the answers of a survey as CSV, a line for each caller who was asked and a column for each "
        "question. Who hung up before the last question stands there with completed = no; a question that was asked in "
        "vain is empty. Calls that are marked as sensitive are left out.",
    )
    export.add_argument("survey", metavar="NAME", help="the name of its [[callapps.app]]")
    export.add_argument("--since", metavar="TIME", type=moment, help="30m, 12h, 7d ago, or 2026-01-31T09:00")
    export.add_argument("--until", metavar="TIME", type=moment)
    export.add_argument("--output", metavar="FILE", type=Path, help="write there (default: standard output)")
    export.add_argument("--whole-numbers", action="store_true", help="do not mask the callers' numbers")
    export.set_defaults(command=_export)


def _list(arguments: argparse.Namespace) -> ExitCode:
    for count in with_database(arguments, lambda _, database: _counts(database)):
        print(f"{count.survey}  {count.responses} asked, {count.completed} to the end")
    return ExitCode.OK


async def _counts(database: Database) -> list[SurveyCount]:
    async with database.read() as connection:
        return await survey_counts(connection)


def _export(arguments: argparse.Namespace) -> ExitCode:
    async def read(_: Config, database: Database) -> tuple[list[str], list[SurveyResponse]]:
        async with database.read() as connection:
            questions = await survey_questions(connection, arguments.survey)
            found = await survey_responses_of(
                connection, arguments.survey, since=arguments.since, until=arguments.until
            )
        if not found and arguments.survey not in {count.survey for count in await _counts(database)}:
            raise OperatorError(f'nobody was ever asked a survey called "{arguments.survey}"')
        return questions, found

    questions, found = with_database(arguments, read)
    rows = (_row(response, questions, whole=arguments.whole_numbers) for response in found)
    written = csv_table((*_COLUMNS, *questions), rows)
    if arguments.output is None:
        sys.stdout.buffer.write(written.encode())
    else:
        try:
            arguments.output.write_bytes(written.encode())
        except OSError as error:
            raise OperatorError(f"{arguments.output} cannot be written: {error.strerror}") from error
        print(f"{len(found)} responses were written to {arguments.output}")
    return ExitCode.OK


def _row(response: SurveyResponse, questions: list[str], *, whole: bool) -> list[str]:
    return [
        response.call_id,
        datetime.fromtimestamp(response.begun_at, UTC).isoformat(timespec="seconds"),
        "no" if response.completed_at is None else "yes",
        harmless(response.caller if whole else mask_number(response.caller)),
        harmless(response.did),
        *(harmless(response.answers.get(question, "")) for question in questions),
    ]
