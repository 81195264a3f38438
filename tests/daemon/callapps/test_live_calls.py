"""Apps on the calls of a simulated switch, from the park to the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from daemon.actor import Actor
from daemon.callapps.contract import (
    AppCall,
    BargeIn,
    Collected,
    Collecting,
    Heard,
    Listening,
    Prompt,
)
from daemon.config import FallbackConfig
from daemon.demo.switch import SimulatedSwitch
from daemon.stores.database import Database
from tests.daemon.callapps.conftest import Answer
from tests.daemon.callapps.phone import CODE, PERSON, apps, ended
from tests.web.turns import until

GREETING = "안녕하세요 무엇을 도와드릴까요"
LONG = "지금부터 아주 긴 안내를 드리겠습니다 " * 6


async def test_from_the_park_to_the_hangup(switch: SimulatedSwitch, answer: Answer) -> None:
    heard: list[Heard] = []

    async def app(call: AppCall) -> None:
        assert (call.caller, call.did, call.code) == ("01012345678", "07000001001", CODE)
        await call.answer()
        heard.append(await call.listen(GREETING))
        call.outcome = "ordered"
        await call.hang_up("감사합니다")

    phone = await answer(app)
    call = await phone.ring(caller="01012345678", did="07000001001")
    await phone.until_said(call, GREETING)
    assert call.leg.listening == ["brain_stt"]
    await call.say("장미 한 다발이요")
    assert await ended(call) == "NORMAL_CLEARING"
    assert heard == [Heard(Listening.SPEECH, "장미 한 다발이요", prompt=Prompt(GREETING))]
    await phone.until_outcome(call, "ordered")
    assert phone.said(call) == [GREETING, "장미 한 다발이요", "감사합니다"]
    assert phone.call(call).app == "order"
    assert call.leg.listening == []
    assert call.leg.times.answered > 0


async def test_utterances_are_joined_until_the_caller_is_silent(answer: Answer) -> None:
    async def app(call: AppCall) -> None:
        await call.answer()
        heard = await call.listen(GREETING)
        await call.hang_up(heard.text)

    phone = await answer(app, apps(end_silence=0.5))
    call = await phone.ring()
    await phone.until_said(call, GREETING)
    await call.say("장미")
    await call.say("아니 백합으로요")
    await ended(call)
    assert phone.said(call)[-1] == "장미 아니 백합으로요"


async def test_a_final_breaks_a_prompt_off_and_is_the_answer(switch: SimulatedSwitch, answer: Answer) -> None:
    switch.core.speed = 1.0
    heard: list[Heard] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        heard.append(await call.listen(LONG))

    phone = await answer(app)
    call = await phone.ring()
    await phone.until_saying(call, LONG.strip())
    await call.say("상담원이요")
    await ended(call)
    (said,) = heard
    assert (said.ended, said.text) == (Listening.SPEECH, "상담원이요")
    assert said.prompt is not None
    assert said.prompt.by is BargeIn.SPEECH
    assert f"{said.prompt.heard} {said.prompt.cut}".strip() == LONG.strip()
    spoken = [text for text in phone.said(call) if "안내" in text]
    assert len(spoken) == 1
    assert spoken[0].endswith("드리겠습니다]")


async def test_an_interim_breaks_a_prompt_off_once_it_has_lasted(switch: SimulatedSwitch, answer: Answer) -> None:
    switch.core.speed = 1.0
    heard: list[Heard] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        heard.append(await call.listen(LONG))

    phone = await answer(app, apps(recogniser="", end_silence=0.1))
    call = await phone.ring()
    await phone.until_saying(call, LONG.strip())
    await call.say("저", start=1.0, end=1.2, interim=True, vendor="google")
    await phone.until_saying(call, "저")
    assert LONG.strip() in phone.saying(call)
    await call.say("저 상담원", start=1.0, end=1.8, interim=True, vendor="google")
    await phone.following.until(lambda: LONG.strip() not in phone.saying(call))
    await call.say("저 상담원이요", start=1.0, end=2.0, vendor="google")
    await ended(call)
    assert heard[0].text == "저 상담원이요"
    assert heard[0].prompt is not None
    assert heard[0].prompt.by is BargeIn.SPEECH


async def test_a_recogniser_that_notices_speech_breaks_a_prompt_off(switch: SimulatedSwitch, answer: Answer) -> None:
    switch.core.speed = 1.0
    heard: list[Heard] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        heard.append(await call.listen(LONG))

    phone = await answer(app, apps(recogniser=""))
    call = await phone.ring()
    await phone.until_saying(call, LONG.strip())
    call.leg.fire("DETECTED_SPEECH", [("Speech-Type", "begin-speaking")])
    await phone.following.until(lambda: LONG.strip() not in phone.saying(call))
    call.leg.fire("DETECTED_SPEECH", [("Speech-Type", "detected-speech")], body="상담원이요")
    await ended(call)
    assert (heard[0].ended, heard[0].text) == (Listening.SPEECH, "상담원이요")
    assert heard[0].prompt is not None
    assert heard[0].prompt.by is BargeIn.SPEECH


async def test_a_cough_is_no_answer_and_was_there_all_the_same(answer: Answer) -> None:
    heard: list[Heard] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        heard.append(await call.listen())

    phone = await answer(app, apps(recogniser="", no_input=1.0))
    call = await phone.ring()
    await phone.following.until(lambda: phone.script.calls and phone.call(call).answered_at)
    await call.say("어", start=1.0, end=1.1, interim=True, vendor="google")
    await call.say("", start=1.0, end=1.1, vendor="google")
    await ended(call)
    assert heard == [Heard(Listening.NO_INPUT, sound=True)]


async def test_whether_the_caller_is_there(answer: Answer) -> None:
    there: list[bool] = []
    answered = asyncio.Event()

    async def app(call: AppCall) -> None:
        await call.answer()
        there.append(call.is_there)
        answered.set()
        try:
            await asyncio.Event().wait()
        finally:
            there.append(call.is_there)

    phone = await answer(app)
    call = await phone.ring()
    await answered.wait()
    await call.hang_up()
    await phone.idle()
    assert there == [True, False]


async def test_what_must_be_heard_is_heard(answer: Answer) -> None:
    heard: list[Heard] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        assert await call.say(GREETING, interruptible=False) == Prompt(GREETING)
        heard.append(await call.listen("말씀하세요"))

    phone = await answer(app)
    call = await phone.ring()
    await phone.until_saying(call, GREETING)
    await call.say("여보세요")
    await call.dtmf("1")
    await phone.until_said(call, "말씀하세요")
    await ended(call)
    assert phone.said(call)[:2] == ["여보세요", GREETING]
    assert heard == [Heard(Listening.NO_INPUT, prompt=Prompt("말씀하세요"))]


async def test_a_key_breaks_a_prompt_off_and_digits_are_an_answer(switch: SimulatedSwitch, answer: Answer) -> None:
    switch.core.speed = 1.0
    heard: list[Heard] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        heard.append(await call.listen(LONG))
        heard.append(await call.listen())

    phone = await answer(app)
    call = await phone.ring()
    await phone.until_saying(call, LONG.strip())
    await call.dtmf("12")
    await ended(call)
    assert (heard[0].ended, heard[0].digits, heard[0].text) == (Listening.DIGITS, "12", "")
    assert heard[0].prompt is not None
    assert heard[0].prompt.by is BargeIn.DIGITS
    assert heard[1] == Heard(Listening.NO_INPUT)


async def test_digits_are_collected(answer: Answer) -> None:
    collected: list[Collected] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        for arguments in ({"count": 4}, {}, {"terminator": "*"}, {"count": 2}):
            collected.append(await call.collect("번호를 눌러 주세요", **arguments))

    phone = await answer(app)
    call = await phone.ring()
    for number, digits in enumerate(("12345", "78#", "9", "")):
        await phone.following.until(lambda count=number: phone.said(call).count("번호를 눌러 주세요") > count)  # type: ignore[misc]
        await call.dtmf(digits)
    await ended(call)
    prompt = Prompt("번호를 눌러 주세요")
    assert collected == [
        Collected(Collecting.COUNT, "1234", prompt),
        Collected(Collecting.TERMINATOR, "78", prompt),
        Collected(Collecting.PAUSE, "9", prompt),
        Collected(Collecting.NO_INPUT, "", prompt),
    ]


async def test_a_caller_who_does_not_stop_speaking(answer: Answer) -> None:
    heard: list[Heard] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        heard.append(await call.listen(GREETING))

    phone = await answer(app, apps(recogniser="", too_long=0.2))
    call = await phone.ring()
    await phone.until_said(call, GREETING)
    await call.say("그래서 말인데요", start=1.0, end=1.6, interim=True, vendor="google")
    await ended(call)
    assert heard[0].ended is Listening.TOO_LONG
    assert heard[0].text == "그래서 말인데요"


async def test_sentences_are_spoken_while_the_next_is_made(answer: Answer) -> None:
    made: list[str] = []
    first_spoken = asyncio.Event()

    async def sentences() -> AsyncIterator[str]:
        yield "첫 문장입니다."
        await first_spoken.wait()
        made.append("second")
        yield "둘째 문장입니다."

    async def app(call: AppCall) -> None:
        await call.answer()
        assert await call.say(sentences()) == Prompt("첫 문장입니다. 둘째 문장입니다.")

    phone = await answer(app)
    call = await phone.ring()
    await phone.until_said(call, "첫 문장입니다.")
    assert made == []
    first_spoken.set()
    await phone.until_said(call, "둘째 문장입니다.")
    await ended(call)
    assert made == ["second"]


async def test_an_interruption_closes_the_iterator(answer: Answer) -> None:
    closed = asyncio.Event()
    prompts: list[Prompt] = []

    async def sentences() -> AsyncIterator[str]:
        try:
            yield "첫 문장입니다."
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def app(call: AppCall) -> None:
        await call.answer()
        prompts.append(await call.say(sentences()))
        prompts.append(await call.say("이것은 말하지 않습니다"))
        await call.listen()
        await call.hang_up("안녕히 계세요")

    phone = await answer(app)
    call = await phone.ring()
    await phone.until_said(call, "첫 문장입니다.")
    await call.say("잠깐만요")
    await ended(call)
    assert closed.is_set()
    assert prompts == [
        Prompt("첫 문장입니다.", "", BargeIn.SPEECH),
        Prompt("", "이것은 말하지 않습니다", BargeIn.SPEECH),
    ]
    assert phone.said(call) == ["첫 문장입니다.", "잠깐만요", "안녕히 계세요"]


async def test_a_transfer_hands_the_caller_on(switch: SimulatedSwitch, answer: Answer) -> None:
    after: list[str] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        await call.transfer(PERSON)
        call.outcome = "to a person"
        after.append("written down")
        await call.say("이 말은 나가지 않습니다")

    phone = await answer(app)
    call = await phone.ring()
    await phone.following.until(lambda: phone.following.state(call.leg_id) == "bridged")
    await phone.idle()
    assert after == ["written down"]
    assert phone.call(call).outcome == "to a person"
    assert "parley_app" not in call.leg.variables
    assert call.leg.listening == []
    assert call.leg.bridged is not None
    assert call.leg.bridged.profile.destination == PERSON
    await call.hang_up()


async def test_a_transfer_into_another_app(switch: SimulatedSwitch, answer: Answer) -> None:
    switch.exchange.dialplan["9001"] = [("set_profile_var", f"code={CODE}"), ("park", "")]
    calls = 0

    async def app(call: AppCall) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            await call.transfer("9001")
        else:
            await call.hang_up("두 번째입니다")

    phone = await answer(app)
    call = await phone.ring()
    await ended(call)
    await phone.until_said(call, "두 번째입니다")
    assert calls == 2


async def test_a_leg_that_became_part_of_an_older_call(switch: SimulatedSwitch, answer: Answer) -> None:
    switch.exchange.dialplan["9001"] = [("set_profile_var", f"code={CODE}"), ("park", "")]
    heard: list[Heard] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        heard.append(await call.listen("무엇을 도와드릴까요", no_input=5.0))

    phone = await answer(app)
    older, call = await phone.ring(code="their-app"), await phone.ring(code="their-app")
    for each in (older, call):
        await each.answer()
    await older.merge(call)
    await phone.following.until(lambda: phone.following.state(call.leg_id) == "bridged")
    switch.exchange.transfer(call.leg, "9001")
    await phone.until_said(call, "무엇을 도와드릴까요")
    await call.say("상담원이요")
    await ended(call)
    assert phone.call(call) is phone.call(older)
    assert [one.text for one in heard] == ["상담원이요"]


async def test_the_rest_of_the_telephone(switch: SimulatedSwitch, answer: Answer) -> None:
    fired: list[str] = []
    switch.core.listen(lambda event: fired.append(event.name))

    async def app(call: AppCall) -> None:
        await call.answer()
        await call.record("/srv/recordings/a.wav")
        await call.play("/srv/sounds/hello.wav", words="어서 오세요")
        await call.send_dtmf("12#")
        await call.hold()
        await call.hold(False)
        call.scratch["said"] = [one.text for one in call.transcript]
        await call.hang_up()
        await call.hang_up()

    phone = await answer(app)
    call = await phone.ring()
    await ended(call)
    await phone.until_outcome(call, "handed_on")
    assert phone.script.calls[0].scratch == {"said": ["어서 오세요"]}
    # A hangup with a media bug leaves channels behind.
    assert fired.index("RECORD_START") < fired.index("RECORD_STOP") < fired.index("CHANNEL_HANGUP")


@pytest.mark.parametrize("how", ["returns", "raises", "is cut off"])
async def test_a_recording_ends_before_its_call_is_hung_up(
    switch: SimulatedSwitch, answer: Answer, database: Database, how: str
) -> None:
    fired: list[str] = []
    switch.core.listen(lambda event: fired.append(event.name))

    async def app(call: AppCall) -> None:
        await call.answer()
        await call.record("/srv/recordings/a.wav")
        if how == "raises":
            raise LookupError("x")
        if how == "is cut off":
            await asyncio.Event().wait()

    phone = await answer(app, apps(fallback=FallbackConfig()))
    call = await phone.ring()
    if how == "is cut off":
        await until(lambda: "RECORD_START" in fired)
        await phone.interventions(database).hang_up(phone.call(call).call_id, actor=Actor("hana", "session"))
    await ended(call)
    assert fired.index("RECORD_START") < fired.index("RECORD_STOP") < fired.index("CHANNEL_HANGUP")
