"""What a call app is, and the telephone that it gets.

A call app is an async function of one :class:`AppCall`:

    async def greet(call: AppCall) -> None:
        await call.answer()
        heard = await call.listen("안녕하세요, 무엇을 도와드릴까요?")
        await call.hang_up(f"{heard.text}, 알겠습니다.")

or a class whose ``run`` is one. It has the call to itself until it returns, hangs up or hands the caller on. When it
returns and the caller is still there, the call is hung up. When it raises, or takes longer than its deadline, the
caller is sent on to the configured fall-back: nobody is left in silence.

**The caller hangs up** at any moment. Then the app is cancelled at the await it stands on, and its ``finally`` runs,
for a bounded time; no command raises anything else for that. After ``hang_up`` and ``transfer`` the app has the same
time to finish what it has to write down; commands to the leg then cancel it.

**People** who look at the call may take it over or hang it up: for the app that is as if the caller had hung up. They
may also say a line to the caller: it is spoken between two prompts, and the app hears nothing of it but a caller who
takes longer to answer.

An app that cannot do for its caller what they want gives them up: :class:`GivenUpError` sends them to the same
fall-back, and is no mistake of the app's.

**What goes wrong beside that** is a :class:`CommandFailedError` from the command: the switch refused it, or could not
be told. An app may catch it and go on.

**Barge-in.** A prompt stops when the caller speaks or presses a key, unless it is said with ``interruptible=False``.
What the caller said into a prompt is kept for the next ``listen``, ``ask`` or ``collect``, and prompts until then are
left out. What is said while the app neither speaks nor listens is not kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from daemon.calls.control import Certainty
from daemon.transcripts.utterance import Utterance


class CommandFailedError(Exception):
    """``command`` was not carried out; ``certainty`` says whether it may have happened all the same.

    The text is the switch's answer or why there is none, and holds nothing that anybody said.
    """

    def __init__(self, command: str, certainty: Certainty, why: str) -> None:
        super().__init__(f"{command}: {why}")
        self.command = command
        self.certainty = certainty


class GivenUpError(Exception):
    """Raised by an app that leaves its caller to the configured fall-back.

    ``outcome`` says why, for the call's record, where the app has set none; it holds nothing that anybody said.
    """

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class BargeIn(StrEnum):
    """What broke a prompt off."""

    SPEECH = "speech"
    DIGITS = "digits"


class Prompt(msgspec.Struct, frozen=True):
    """What became of a prompt: what was heard of its text, and what was not because ``by`` broke it off.

    Where in a sentence it broke is an estimate, in whole words. Of a file played without ``words`` both are empty.
    """

    heard: str
    cut: str = ""
    by: BargeIn | None = None


class Listening(StrEnum):
    """How listening ended."""

    SPEECH = "speech"
    DIGITS = "digits"
    NO_INPUT = "no_input"
    """The caller neither spoke nor pressed a key in time."""
    TOO_LONG = "too_long"
    """The caller was still speaking; what was understood until then is there."""


class Heard(msgspec.Struct, frozen=True):
    """What the caller said (``text``, utterances joined by blanks) or pressed (``digits``), and after which prompt.

    ``sound``: of a caller who said nothing there was something to be heard all the same, a cough or a door.
    """

    ended: Listening
    text: str = ""
    digits: str = ""
    prompt: Prompt | None = None
    sound: bool = False


class Collecting(StrEnum):
    """How collecting digits ended."""

    COUNT = "count"
    """As many as were asked for."""
    TERMINATOR = "terminator"
    """The caller ended them; the terminator is not among them."""
    PAUSE = "pause"
    """The caller pressed some and no more."""
    NO_INPUT = "no_input"


class Collected(msgspec.Struct, frozen=True):
    """The digits that the caller pressed (``0-9*#A-D``), and after which prompt."""

    ended: Collecting
    digits: str = ""
    prompt: Prompt | None = None


class Meaning(msgspec.Struct, frozen=True):
    """Which of some choices words mean: the one at ``index``, or none.

    ``confirm``: it is a guess, and the caller must be asked. ``ambiguous``: several were named, and none is chosen.
    """

    index: int | None = None
    confirm: bool = False
    ambiguous: bool = False


class Understanding(Protocol):
    """Understands what words mean among choices. Must not raise, whatever the text."""

    def __call__(self, text: str, choices: Sequence[str]) -> Meaning:
        """The meaning of ``text``; ``choices`` are at least two, and distinct."""


class Answer(msgspec.Struct, frozen=True):
    """What came of a question: one of its choices, or ``None`` where it was given up after so many ``tries``.

    ``heard`` is the last that was heard.
    """

    choice: str | None
    heard: Heard
    tries: int


class Reached(StrEnum):
    """What came of ringing a person for the caller."""

    JOINED = "joined"
    """They hear each other. The app's part is over."""
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    """The person would not take the call, or answered and hung up before they were joined."""
    FAILED = "failed"
    """The person could not be rung at all."""


class AppSecret(Protocol):
    """What an app asks for that has a secret: ``callapp-<name>-secret``, kept as every secret is."""

    def read(self) -> str | None:
        """The secret as it is now, ``None`` where there is none.

        Raises :class:`~daemon.secrets.UnreadableSecretError`.
        """


class AppCall(Protocol):
    """One call, as its app sees it. Texts are spoken by the configured voice; times are seconds.

    Every method is to be awaited before the next one is called; where two run at once, prompts wait for each other.
    Every one may raise :class:`CommandFailedError`, and ends by cancellation when the leg is gone.
    """

    outcome: str
    """How it went, for the call's record and for people; set by the app, at most 64 characters count."""

    scratch: dict[str, Any]
    """The app's own, for as long as the call lasts."""

    @property
    def call_id(self) -> str:
        """Parley's id of the call."""

    @property
    def caller(self) -> str:
        """The number that calls, whole; ``""`` where it is withheld."""

    @property
    def callee(self) -> str:
        """The number that the call is for now."""

    @property
    def did(self) -> str:
        """The number first dialled."""

    @property
    def code(self) -> str:
        """The app code that the dialplan gave; ``""`` where the app was chosen by the DID."""

    @property
    def variables(self) -> Mapping[str, str]:
        """What whoever placed the call gave to the app; empty for a call that came in."""

    @property
    def is_there(self) -> bool:
        """Whether the caller is on the line, as far as is known. An app that is cancelled sees by it whether they
        hung up."""

    @property
    def machine(self) -> bool:
        """Whether a machine has answered a call that Parley placed, as far as the switch has found out until now."""

    @property
    def transcript(self) -> Sequence[Utterance]:
        """The dialogue so far, finals only, in the order in which they became final."""

    async def answer(self) -> None:
        """Answer the call and let speech-to-text begin. On a call that is answered already nothing is done twice."""

    async def say(self, text: str | AsyncIterable[str], *, interruptible: bool = True) -> Prompt:
        """Say a text, or texts as they come: one is spoken while the next is made.

        When the caller breaks in, the iterator is cancelled and closed. What it raises is raised here.
        """

    async def play(self, path: str, *, words: str = "", interruptible: bool = True) -> Prompt:
        """Play a sound file, by its path as the switch sees it. ``words`` are what is said in it."""

    async def listen(
        self,
        prompt: str = "",
        *,
        interruptible: bool = True,
        no_input: float | None = None,
        end_silence: float | None = None,
        too_long: float | None = None,
    ) -> Heard:
        """Say ``prompt``, if any, and listen until the caller has spoken and been silent for ``end_silence``.

        A key ends speech: digits are then the answer. ``no_input`` is how long the caller may take to begin, counted
        from the end of the prompt, ``too_long`` how long the answer may be. What is ``None`` is as configured.
        """

    async def collect(
        self,
        prompt: str = "",
        *,
        count: int | None = None,
        terminator: str = "#",
        interruptible: bool = True,
        no_input: float | None = None,
        between: float | None = None,
    ) -> Collected:
        """Say ``prompt``, if any, and take digits: ``count`` of them, or until one of ``terminator`` or a pause.

        ``between`` is how long the caller may take from one digit to the next.
        """

    async def ask(
        self,
        prompt: str,
        choices: Sequence[str],
        *,
        again: Sequence[str] = (),
        confirm: str = "{choice}, 맞으신가요?",
        tries: int = 3,
        interruptible: bool = True,
    ) -> Answer:
        """Ask until one of ``choices`` is understood or its number is pressed, ``tries`` times at most.

        ``again`` are the words for the second time, the third and so on; without any, or past their end, the last
        words are said again. ``confirm`` asks about a guess, and is answered by 네 or 아니요, 1 or 2.

        :raises ValueError: where ``choices`` are fewer than two or not distinct, or ``tries`` is less than one.
        """

    async def send_dtmf(self, digits: str) -> None:
        """Send ``digits`` (``0-9*#A-D``) to the caller's side."""

    async def record(self, path: str) -> None:
        """Record both sides into ``path``, as the switch sees it, until the call ends."""

    async def hold(self, on: bool = True) -> None:
        """Put the caller on hold, or take them off it."""

    async def bridge(self, leg_id: str) -> None:
        """Let the caller and another leg hear each other. The app's part is over then."""

    async def transfer(self, destination: str) -> None:
        """Send the caller to ``destination``, without asking there first. The app's part is over then.

        Speech-to-text that the app began is stopped: where the caller goes it may be begun anew.
        """

    async def put_through(
        self, destination: str, *, words: str = "", announcement: str = "", ring_time: float = 30.0
    ) -> Reached:
        """Ring ``destination`` for at most ``ring_time``, and join the caller with whoever answers.

        Meanwhile the caller hears ``words``, if any, and then the configured music. ``announcement`` is said to the
        person before they are joined. Where nobody is reached the app goes on with the caller. A caller who hangs up
        meanwhile, or an app that is cancelled here, ends the ringing.
        """

    async def hang_up(self, text: str = "") -> None:
        """Say ``text``, if any, to its end, and hang up. Hanging up twice is harmless."""
