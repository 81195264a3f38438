"""Apps that are tried without a telephone: what the trial's caller notices is what one on a switch would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from daemon.callapps.contract import (
    AppCall,
    BargeIn,
    Collected,
    Collecting,
    GivenUpError,
    Heard,
    Listening,
    Prompt,
    Reached,
)
from daemon.callapps.trial.deed import Deed, Kind
from daemon.callapps.trial.dialogue import read_dialogue
from daemon.callapps.trial.play import Difference, play
from daemon.callapps.trying import DifferenceError, Phone, try_app
from daemon.config import CallAppsConfig, FallbackConfig
from daemon.plugins import PluginError

GREETING = "무엇을 도와드릴까요?"


async def order(call: AppCall) -> None:
    """Takes an order, confirms it, and has it made."""
    await call.answer()
    heard = await call.listen(f"{GREETING} 꽃 이름을 말씀해 주세요.")
    answer = await call.ask(f"{heard.text} 맞으신가요?", ["네", "아니요"], again=["네, 아니요로 말씀해 주세요."])
    call.outcome = "ordered" if answer.choice == "네" else "given up"
    await call.transfer("1001") if answer.choice == "네" else await call.hang_up("다음에 뵙겠습니다.")


async def test_a_dialogue_to_its_end() -> None:
    async with try_app(order, caller="01012345678") as phone:
        await phone.hears(GREETING + " …")
        await phone.says("장미")
        await phone.says("한 다발이요")
        await phone.hears("장미 한 다발이요 맞으신가요?")
        await phone.is_silent()
        await phone.hears("네, 아니요로 말씀해 주세요.")
        await phone.presses("1")
        assert await phone.is_transferred() == "1001"
        await phone.ends("ordered")
    assert phone.call.caller == "01012345678"
    assert [utterance.text for utterance in phone.transcript][1:4] == [
        "장미",
        "한 다발이요",
        "장미 한 다발이요 맞으신가요?",
    ]


async def test_a_silence_of_a_day_takes_no_time() -> None:
    heard: list[Heard] = []

    async def app(call: AppCall) -> None:
        heard.append(await call.listen(no_input=86_400.0))

    async with try_app(app) as phone:
        await phone.is_silent()
        await phone.is_hung_up()
    assert heard == [Heard(Listening.NO_INPUT)]


async def test_who_breaks_in_is_heard_and_what_was_cut_off_is_told() -> None:
    heard: list[Heard] = []

    async def app(call: AppCall) -> None:
        heard.append(await call.listen("지금부터 아주 긴 안내를 드리겠습니다"))
        await call.say("끝까지 들으셔야 하는 안내입니다", interruptible=False)
        heard.append(await call.listen())

    async with try_app(app) as phone:
        await phone.hears("지금부터 …")
        await phone.says("상담원이요", interrupting=True)
        await phone.hears("끝까지 …")
        await phone.says("잠깐만요", interrupting=True)
        await phone.is_silent()
        await phone.is_hung_up()
    assert heard == [
        Heard(
            Listening.SPEECH,
            "상담원이요",
            prompt=Prompt("지금부터 아주 긴", "안내를 드리겠습니다", BargeIn.SPEECH),
        ),
        Heard(Listening.NO_INPUT),
    ]
    assert "지금부터 아주 긴 — [안내를 드리겠습니다]" in [utterance.text for utterance in phone.transcript]


async def test_a_caller_who_pauses_within_an_answer() -> None:
    heard: list[str] = []

    async def app(call: AppCall) -> None:
        heard.append((await call.listen(end_silence=1.0)).text)
        heard.append((await call.listen(end_silence=1.0)).text)

    async with try_app(app) as phone:
        await phone.says("장미")
        await phone.is_silent(0.9)
        await phone.says("한 다발이요")
        await phone.is_silent(1.1)
        await phone.says("아니요")
        await phone.is_hung_up()
    assert heard == ["장미 한 다발이요", "아니요"]


async def test_keys_are_collected_by_the_same_clock() -> None:
    got: list[Collected] = []

    async def app(call: AppCall) -> None:
        got.append(await call.collect("번호를 누르세요", count=4))
        got.append(await call.collect(terminator="#"))
        got.append(await call.collect(between=3.0))
        got.append(await call.collect())

    async with try_app(app) as phone:
        await phone.hears()
        await phone.presses("12", interrupting=True)
        await phone.presses("345")
        await phone.presses("67#")
        await phone.presses("8")
        await phone.is_silent(2.9)
        await phone.presses("9")
        await phone.is_silent(3.0)
        await phone.is_silent()
        await phone.is_hung_up()
    assert [(one.ended, one.digits) for one in got] == [
        (Collecting.COUNT, "1234"),
        (Collecting.TERMINATOR, "67"),
        (Collecting.PAUSE, "89"),
        (Collecting.NO_INPUT, ""),
    ]


async def test_everything_else_that_an_app_can_do() -> None:
    async def app(call: AppCall) -> None:
        await call.answer()
        await call.record("/srv/recordings/a.wav")
        await call.play("/srv/sounds/music.wav")
        await call.play("/srv/sounds/welcome.wav", words="어서 오세요")
        await call.send_dtmf("12#")
        await call.hold()
        await call.hold(False)
        await call.bridge("another-leg")

    async with try_app(app) as phone:
        await phone.does(Deed(Kind.PLAYS, "/srv/sounds/…"))
        await phone.hears("어서 오세요")
        for deed in (Deed(Kind.SENDS, "12#"), Deed(Kind.HOLDS), Deed(Kind.RESUMES), Deed(Kind.BRIDGES, "another-leg")):
            await phone.does(deed)
        await phone.ends("handed_on")


async def test_sentences_that_are_made_while_others_are_said() -> None:
    async def sentences() -> AsyncIterator[str]:
        for sentence in ("첫째입니다.", "둘째입니다.", "셋째입니다."):
            await asyncio.sleep(0)
            yield sentence

    async def app(call: AppCall) -> None:
        await call.say(sentences())

    async with try_app(app) as phone:
        await phone.hears("첫째입니다. 둘째입니다.")
        await phone.hears("셋째입니다.")
        await phone.is_hung_up()


ANNOUNCEMENT = "주문 문의입니다. " + "가나다라마바사 " * 37


class Desk:
    """Puts its caller through to 1001, who is told of them in two pieces, and asks who is not reached what to do."""

    def __init__(self, *, options: dict[str, str]) -> None:
        self._words = options.get("words", "")

    async def run(self, call: AppCall) -> None:
        """Leads a call."""
        reached = await call.put_through("1001", words=self._words, announcement=ANNOUNCEMENT, ring_time=20.0)
        if reached is not Reached.JOINED:
            call.outcome = (await call.listen(f"{reached}, 어떻게 할까요?", no_input=5.0)).text


async def test_a_person_who_answers_is_told_of_the_caller_and_joined() -> None:
    words = "연결해 드리겠습니다."
    async with try_app(Desk, options={"words": words}, config=CallAppsConfig(hold_music="/srv/music.wav")) as phone:
        assert await phone.rings() == "1001"
        await phone.hears(words)
        await phone.reaches(Reached.JOINED, "1001")
        assert (await phone.person_hears(ANNOUNCEMENT)).startswith("주문 문의입니다. 가나다라마바사")
        assert await phone.is_put_through() == "1001"
        await phone.ends("handed_on")
    assert phone.call.callee == "1001"


@pytest.mark.parametrize("reached", [reached for reached in Reached if reached is not Reached.JOINED])
@pytest.mark.parametrize("words", ["", "연결해 드리겠습니다."])
async def test_a_person_who_is_not_reached_leaves_the_caller_with_the_app(reached: Reached, words: str) -> None:
    async with try_app(Desk, options={"words": words}) as phone:
        await phone.rings("1001")
        if words:
            await phone.hears(words)
        await phone.says("여보세요?")
        await phone.reaches(reached)
        await phone.hears(f"{reached}, 어떻게 할까요?")
        await phone.says("다시 걸게요.")
        await phone.is_hung_up()
        await phone.ends("다시 걸게요.")


async def test_a_person_is_rung_for_as_long_as_the_caller_is_silent() -> None:
    async with try_app(Desk, options={}) as phone:
        await phone.rings("1001")
        await phone.is_silent(19.0)
        await phone.is_silent(1.0)
        await phone.hears("no_answer, …")


async def test_a_person_who_is_told_by_a_file() -> None:
    async def app(call: AppCall) -> None:
        await call.put_through("1001", announcement="주문 문의입니다.")

    async with try_app(app, config=CallAppsConfig(recordings={"주문 문의입니다.": "/srv/order.wav"})) as phone:
        await phone.rings()
        await phone.reaches(Reached.JOINED)
        await phone.person_hears("주문 문의입니다.")
        await phone.is_put_through()


async def test_a_caller_may_hang_up_while_a_person_is_rung() -> None:
    async with try_app(Desk, options={}) as phone:
        await phone.rings("1001")
        await phone.hangs_up()
        await phone.ends("hung_up")


async def test_what_differs_of_ringing_is_told_in_words() -> None:
    async with try_app(Desk, options={}) as phone:
        await phone.rings("1001")
        with pytest.raises(DifferenceError, match="expected: \\(rings 1002\\); got: 1002 is not rung but 1001"):
            await phone.reaches(Reached.BUSY, "1002")
        await phone.reaches(Reached.JOINED)
        with pytest.raises(DifferenceError, match="expected: 없습니다; got: \\(tells 주문"):
            await phone.person_hears("없습니다")
        await phone.person_hears("가나다라마바사 …")
        await phone.is_put_through()
        with pytest.raises(DifferenceError, match="expected: \\(rings …\\); got: nobody is rung"):
            await phone.reaches(Reached.BUSY)


RINGING = """\
app: (rings 1001)
caller: (1001 {came})
{after}
"""


@pytest.mark.parametrize(
    ("came", "after", "difference"),
    [
        ("answers", "app: (tells 주문 …)\napp: (tells …)\napp: (puts through to 1001)\noutcome: handed_on", None),
        ("is busy", "app: busy, …\ncaller:\napp: (hangs up)", None),
        ("does not answer", "app: no_answer, …\ncaller: (hangs up)", None),
        ("refuses", "app: refused, …\ncaller: (hangs up)", None),
        (
            "cannot be reached",
            "app: (puts through to …)",
            Difference(3, "(puts through to …)", "failed, 어떻게 할까요?"),
        ),
    ],
)
async def test_a_dialogue_with_a_person_who_is_rung(came: str, after: str, difference: Difference | None) -> None:
    async with try_app(Desk, options={}) as phone:
        assert await play(read_dialogue(RINGING.format(came=came, after=after)).lines, phone) == difference


class Weather:
    """What an app asks for."""

    def __init__(self, seen: list[object]) -> None:
        self.seen = seen


class App:
    """Says what it was given."""

    def __init__(self, *, weather: Weather, options: dict[str, int]) -> None:
        self._weather = weather
        self._options = options

    async def run(self, call: AppCall) -> None:
        """Leads a call."""
        self._weather.seen.append((self._options, call.caller, call.did, call.code, dict(call.variables)))


async def test_what_an_app_is_given() -> None:
    seen: list[object] = []
    weather = Weather(seen)
    given = {"did": "07000001001", "code": "order-app", "variables": {"order": "1001"}}
    async with try_app(App, caller="", options={"tries": 2}, supplies={Weather: weather}, **given) as phone:  # type: ignore[arg-type]
        await phone.is_hung_up()
    assert seen == [({"tries": 2}, "", "07000001001", "order-app", {"order": "1001"})]
    with pytest.raises(PluginError, match="needs weather"):
        async with try_app(App, options={"tries": 2}):
            pass


async def test_an_app_by_its_name() -> None:
    async with try_app("echo") as phone:
        await phone.hears()
        await phone.hangs_up()
        await phone.ends("hung_up")


async def _hung_up_by(app: Callable[[AppCall], Awaitable[None]]) -> None:
    async with try_app(app) as phone:
        await phone.is_hung_up()


async def _silent_twice(phone: Phone) -> None:
    await phone.is_silent()
    await phone.is_silent()


async def failing(call: AppCall) -> None:
    """Fails once the caller has spoken."""
    heard = await call.listen(GREETING)
    raise LookupError(heard.text)


async def test_an_app_that_fails_and_the_fall_back_of_its_caller() -> None:
    fallback = FallbackConfig(announcement="잠시만 기다려 주세요.", extension="1001")
    async with try_app(failing, config=CallAppsConfig(fallback=fallback)) as phone:
        await phone.hears()
        await phone.says("장미요")
        error = await phone.fails()
        assert isinstance(error, LookupError)
        await phone.hears("잠시만 기다려 주세요.")
        await phone.is_transferred("1001")
        await phone.ends("failed")


async def test_an_app_that_gives_its_caller_up() -> None:
    async def app(call: AppCall) -> None:
        await call.say("그건 제가 모릅니다.")
        raise GivenUpError("not known")

    async with try_app(app, config=CallAppsConfig(fallback=FallbackConfig(extension="1001"))) as phone:
        await phone.hears("그건 제가 모릅니다.")
        await phone.gives_up()
        await phone.is_transferred("1001")
        await phone.ends("not known")


async def test_a_failure_that_nobody_expected_is_told() -> None:
    async with try_app(failing) as phone:
        await phone.hears()
        await phone.says("장미요")
        with pytest.raises(DifferenceError, match="got: \\(fails LookupError\\)") as caught:
            await phone.hears("감사합니다")
    assert isinstance(caught.value.__cause__, LookupError)

    async def late(call: AppCall) -> None:
        await call.hang_up()
        raise LookupError

    with pytest.raises(DifferenceError, match="it raises LookupError"):
        await _hung_up_by(late)


async def test_what_differs_is_told_in_words() -> None:
    async with try_app(order) as phone:
        with pytest.raises(DifferenceError, match="expected: \\(transfers to …\\); got: 무엇을"):
            await phone.is_transferred()
        with pytest.raises(DifferenceError, match="expected: 감사합니다; got: the app waits for the caller"):
            await phone.hears("감사합니다")
        with pytest.raises(DifferenceError, match="expected: the app speaks; got: the app waits"):
            await phone.says("장미", interrupting=True)
        await phone.says("장미")
        with pytest.raises(DifferenceError, match="expected: the app waits for the caller; got: 장미 맞으신가요"):
            await _silent_twice(phone)
        with pytest.raises(DifferenceError, match="expected: the call is over; got: the app waits"):
            await phone.ends("ordered")
        await phone.says("네")
        await phone.is_transferred()
        with pytest.raises(DifferenceError, match="expected: 네; got: the call is over"):
            await phone.hears("네")
        with pytest.raises(DifferenceError, match="expected: the outcome lost; got: the outcome ordered"):
            await phone.ends("lost")
        await phone.hangs_up()


async def test_an_app_that_neither_speaks_nor_listens() -> None:
    async def app(call: AppCall) -> None:
        await asyncio.get_running_loop().create_future()

    async with try_app(app, patience=0.05) as phone:
        with pytest.raises(DifferenceError, match="neither spoke, listened nor ended"):
            await phone.hears()
        await phone.hangs_up()
        await phone.ends("hung_up")


async def test_a_caller_who_hangs_up_ends_the_app_where_it_stands() -> None:
    cleaned: list[str] = []

    async def app(call: AppCall) -> None:
        try:
            await call.listen(GREETING)
        finally:
            cleaned.append(call.caller)

    async with try_app(app) as phone:
        await phone.hears()
    assert cleaned == ["01000000000"]


SCRIPT = """\
app: 무엇을 도와드릴까요? …
caller: 장미 한 다발이요

app: 장미 한 다발이요 맞으신가요?
caller: 1
"""


@pytest.mark.parametrize(
    ("end", "difference"),
    [
        ("app: (transfers to 1001)\noutcome: ordered", None),
        ("app: (transfers to 1002)", Difference(6, "(transfers to 1002)", "(transfers to 1001)")),
        ("caller: 네", Difference(7, "the call is over", "(transfers to 1001)")),
        ("caller:\ncaller: 네", Difference(7, "the app waits for the caller", "(transfers to 1001)")),
        ("", Difference(6, "the call is over", "(transfers to 1001)")),
        (
            "app: (transfers to …)\noutcome: given up",
            Difference(7, "the outcome given up", "the outcome ordered"),
        ),
        ("caller: (hangs up)\noutcome: …", None),
    ],
)
async def test_a_dialogue_that_is_written_down(end: str, difference: Difference | None) -> None:
    async with try_app(order) as phone:
        assert await play(read_dialogue(SCRIPT + end).lines, phone) == difference
