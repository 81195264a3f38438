"""Tries a call app without a telephone, for tests of it:

    async def test_an_order() -> None:
        async with try_app(order) as phone:
            await phone.hears("무엇을 도와드릴까요?")
            await phone.says("장미 한 다발이요")
            await phone.hears("장미 한 다발, 맞으신가요?")
            await phone.presses("1")
            await phone.is_transferred("1001")
        assert await phone.outcome() == "ordered"

The app is led by the code that leads it on real calls; only the switch is another one, which speaks and hears in text.
Prompts last and silences are kept by a clock of their own, so no test waits for them. It works in any event loop.

What the app does must be told in its order: whoever acts while the app does something else is told the difference.
At the end of the block the caller hangs up, unless the call is over.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from daemon.callapps.contract import Reached
from daemon.callapps.definition import define, define_as
from daemon.callapps.trial.deed import ANYTHING, UNHEARD, Deed, Kind, fits, may_begin
from daemon.callapps.trial.trial import PATIENCE, Caller, NotNowError, StuckError, Trial
from daemon.calls.call import Call
from daemon.config import CallAppConfig, CallAppsConfig
from daemon.transcripts.utterance import Utterance

_LISTENS: Final = "the app waits for the caller"
_SPEAKS: Final = "the app speaks"
_OVER: Final = "the call is over"


class DifferenceError(AssertionError):
    """The app did something else: ``expected`` and ``got`` are what should have come and what did, in words."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"expected: {expected}; got: {got}")
        self.expected = expected
        self.got = got


class Phone:
    """The caller's telephone. ``heard`` is called with everything that the app does, as it is done.

    Every method raises :class:`DifferenceError` where the app does not do what it says, from the app's own error
    where it has failed.
    """

    def __init__(self, trial: Trial, *, heard: Callable[[Deed], None] = lambda deed: None) -> None:
        self._trial = trial
        self._heard = heard

    # What the app does

    async def hears(self, words: str = ANYTHING) -> str:
        """The app says these words, in one prompt or several; returns them. ``…`` stands for any words, or none."""
        return await self._words(words, lambda deed: str(deed) if deed.kind is Kind.SAYS or deed.words else "")

    async def does(self, expected: Deed) -> str:
        """The app does something else than speak: plays a file, sends digits, transfers …; returns what or where."""
        deed = await self._next()
        if deed is None or deed.kind is not expected.kind or not fits(expected.what, deed.what):
            raise self._difference(str(expected), deed)
        return deed.what

    async def is_transferred(self, destination: str = ANYTHING) -> str:
        """The app transfers the caller; returns where to."""
        return await self.does(Deed(Kind.TRANSFERS, destination))

    async def rings(self, destination: str = ANYTHING) -> str:
        """The app rings a person for the caller; returns whom. What comes of it is said by :meth:`reaches`."""
        return await self.does(Deed(Kind.RINGS, destination))

    async def person_hears(self, words: str = ANYTHING) -> str:
        """The app announces the caller to the person who answered; returns the words."""
        return await self._words(words, lambda deed: deed.what if deed.kind is Kind.TELLS else "")

    async def is_put_through(self, destination: str = ANYTHING) -> str:
        """The caller and a person who answered hear each other; returns who."""
        return await self.does(Deed(Kind.PUTS_THROUGH, destination))

    async def is_hung_up(self) -> None:
        """The app, or Parley where the app has returned, hangs up."""
        await self.does(Deed(Kind.HANGS_UP))

    async def gives_up(self) -> None:
        """The app leaves its caller to the fall-back, by :class:`~daemon.callapps.contract.GivenUpError`."""
        await self.does(Deed(Kind.GIVES_UP))

    async def fails(self) -> Exception:
        """The app raises; returns what. What is said then, and where the caller is sent, is the fall-back."""
        await self.does(Deed(Kind.FAILS, ANYTHING))
        error = self._trial.error
        assert error is not None, "it was told"  # noqa: S101
        return error

    async def listens(self) -> None:
        """The app waits for the caller to speak or to press a key."""
        deed = await self._next(goes_on=True)
        if deed is not None or self._trial.is_over:
            raise self._difference(_LISTENS, deed)

    # What the caller does

    async def says(self, text: str, *, interrupting: bool = False) -> None:
        """The caller says ``text``: once what the app says is over, or ``interrupting`` it.

        Twice in a row are two utterances of one answer, with no silence between them.
        """
        await self._turn(interrupting)
        self._trial.say(text)

    async def presses(self, digits: str, *, interrupting: bool = False) -> None:
        """The caller presses keys (``0-9*#A-D``): once what the app says is over, or ``interrupting`` it."""
        await self._turn(interrupting)
        self._trial.press(digits)

    async def is_silent(self, seconds: float | None = None) -> None:
        """The caller says nothing for so long; ``None``: for as long as the app waits."""
        await self.listens()
        try:
            self._trial.keep_silent(seconds)
        except NotNowError as error:
            raise DifferenceError(_LISTENS, str(error)) from self._trial.error

    async def hangs_up(self) -> None:
        """The caller hangs up, whatever the app does at that moment."""
        self._trial.hang_up()

    async def reaches(self, reached: Reached, destination: str = ANYTHING) -> None:
        """That comes of ringing ``destination``, once what is said to the caller meanwhile is over.

        ``JOINED``: they answer. Where they do not, they are rung for as long as the app has it.
        """
        expected, deed = str(Deed(Kind.RINGS, destination)), await self._next(goes_on=True)
        if deed is not None:
            raise self._difference(expected, deed)
        try:
            self._trial.reach(reached, destination)
        except NotNowError as error:
            raise DifferenceError(expected, str(error)) from self._trial.error

    # How it ends

    async def is_over(self) -> None:
        """The app has hung up or sent the caller on, or the caller has hung up."""
        deed = await self._next()
        if deed is not None or not self._trial.is_over:
            raise self._difference(_OVER, deed)

    async def ends(self, outcome: str) -> None:
        """The call is over, and this is how it went, by its record; ``…`` stands for anything."""
        await self.is_over()
        got = await self._trial.outcome()
        if not fits(outcome, got):
            raise DifferenceError(f"the outcome {outcome}", f"the outcome {got}") from self._trial.error

    # What is to be seen of it

    async def outcome(self) -> str:
        """How it went, by the call's record: what the app said of it, else how it ended."""
        return await self._trial.outcome()

    @property
    def call(self) -> Call:
        """The call's record."""
        return self._trial.call

    @property
    def transcript(self) -> Sequence[Utterance]:
        """What both sides said."""
        return self._trial.transcript

    async def _words(self, expected: str, words_of: Callable[[Deed], str]) -> str:
        """Words that come, in one deed or several; ``words_of`` a deed are empty where it is another one."""
        said = ""
        while True:
            deed = await self._next()
            words = words_of(deed) if deed is not None else ""
            before, said = said, f"{said} {words}".strip()
            if not words:
                raise self._difference(expected, deed, before)
            if fits(expected, said):
                return said
            if not may_begin(expected, said):
                raise self._difference(expected, deed)

    async def _turn(self, interrupting: bool) -> None:
        """The caller may act now."""
        if not interrupting:
            await self.listens()
        elif not self._trial.is_sounding:
            raise self._difference(_SPEAKS, await self._next(goes_on=True))

    async def _next(self, *, goes_on: bool = False) -> Deed | None:
        while True:
            try:
                deed = await self._trial.next(goes_on=goes_on)
            except StuckError as error:
                raise DifferenceError("the app goes on", str(error)) from error
            if deed is not None:
                self._heard(deed)
            if deed is None or deed.kind not in UNHEARD:
                return deed

    def _difference(self, expected: str, deed: Deed | None, before: str = "") -> DifferenceError:
        got = str(deed) if deed is not None else _OVER if self._trial.is_over else _LISTENS
        difference = DifferenceError(expected, f"{before}, and then {got}" if before else got)
        difference.__cause__ = self._trial.error
        return difference


@asynccontextmanager
async def try_app(
    app: Callable[..., Any] | str,
    *,
    caller: str = Caller().number,
    did: str = Caller().did,
    code: str = "",
    variables: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    supplies: Mapping[type, object] | None = None,
    config: CallAppsConfig | None = None,
    patience: float = PATIENCE,
) -> AsyncIterator[Phone]:
    """Call ``app``: a function, a class with ``run``, or where they are, as the configuration writes it.

    It is given its ``options``, and of ``supplies`` what it asks for, by type. ``config`` is ``[callapps]``: how long
    silences are, and the fall-back. ``patience`` is how many seconds of real time the app may take for anything.

    :raises daemon.plugins.PluginError: where the app cannot be used.
    :raises DifferenceError: at the end, where the app has failed and nobody expected it.
    """
    table = CallAppConfig(name="trial", use=app if isinstance(app, str) else "trial", options=dict(options or {}))
    definition = define(table) if isinstance(app, str) else define_as(table, app)
    trial = Trial(
        definition,
        Caller(caller, did, code, variables or {}),
        config=config or CallAppsConfig(),
        supplies=supplies or {},
        patience=patience,
    )
    failures: list[Deed] = []
    async with trial:
        yield Phone(trial, heard=lambda deed: failures.append(deed) if deed.kind is Kind.FAILS else None)
    if trial.error is not None and not failures:
        raise DifferenceError("the app ends well", f"it raises {type(trial.error).__name__}") from trial.error
