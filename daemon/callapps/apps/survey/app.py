"""The app that asks the questions of a survey and keeps the answers."""

from __future__ import annotations

from daemon.callapps.apps.survey.answers import Answers
from daemon.callapps.apps.survey.questions import SurveyOptions, ask
from daemon.callapps.contract import AppCall
from daemon.config import CallAppConfig
from daemon.stores.database import Database


async def survey(call: AppCall, *, config: CallAppConfig, database: Database, options: SurveyOptions) -> None:
    """Ask a few questions and keep what the caller answers, as far as they stay."""
    await call.answer()
    answers = Answers(database, call.call_id, config.name)
    try:
        await answers.begin()
        if options.greeting:
            await call.say(options.greeting)
        for question in options.question:
            await answers.keep(question.name, await ask(call, question, options.tries))
        answers.complete()
        call.outcome = "completed"
    finally:
        await answers.flush()
    await call.hang_up(options.goodbye)
