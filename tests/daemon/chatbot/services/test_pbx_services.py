"""Call forwarding and click-to-call by chat, on a simulated gateway: of one's own extension alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from daemon.actor import Actor
from daemon.chatbot.services.pbx_words import why_not
from daemon.chatbot.store_memory import StoreMemory
from daemon.chatbot.trying import MINA
from daemon.config import ClickToCallConfig
from daemon.demo.pbx_gateway import SimulatedGateway
from daemon.directory.contract import Entry
from daemon.directory.embedded import EmbeddedDirectory
from daemon.pbx import contract
from daemon.pbx.contract import ClickToCall, Diversions, PbxError, PbxUnavailable
from daemon.stores.database import Database
from protocols.dcmiws.diversions import DiversionKind
from tests.daemon.chatbot.house import ADA, JUN, House, renamed
from tests.daemon.pbx.conftest import Room, configured, running
from tests.services.databases import SqliteDatabases

OPERATOR = renamed(MINA, extension="1010", tenant="main")
VIEWER = renamed(JUN, extension="1011", tenant="main")
SOMEBODY_ELSE = Actor("jin", "session")
GILDONG = Entry(entry_id="p1", kind="person", name="홍길동", team="인사팀", number="07000000801")
GILSUN = Entry(entry_id="p2", kind="person", name="홍길순", team="영업팀", number="07000000802")
DESK = Entry(entry_id="t1", kind="team", name="안내", number="")


class Acting:
    """The chatbot beside a PBX that works."""

    def __init__(self, house: House, room: Room, simulated: SimulatedGateway) -> None:
        self.house, self.room, self.simulated = house, room, simulated

    async def stored(self, extension: str = "1010") -> dict[str, str]:
        """The diversions that are in effect."""
        read = await self.room.pbx.diversions.read(extension)
        return {one.kind.value: one.destination for one in read.diversions if one.in_effect}

    async def forward(self, number: str = "01012345678", kind: DiversionKind = DiversionKind.IMMEDIATE) -> None:
        """Somebody else forwards the extension."""
        await self.room.pbx.diversions.change(
            "1010", kind, actor=SOMEBODY_ELSE, version="*", enabled=True, destination=number
        )


@pytest.fixture
async def acting(sqlite_databases: SqliteDatabases) -> AsyncIterator[Acting]:
    simulated = SimulatedGateway({1: "pbx1.example.com", 2: "pbx2.example.com"}, speed=50.0)
    await simulated.start()
    database = Database.of(await asyncio.to_thread(sqlite_databases.make))
    limits = ClickToCallConfig(ways=["websocket"], per_user_per_hour=2)
    async with running(configured(simulated.url, click_to_call=limits), database) as room:
        await room.ready()
        house = House(database, StoreMemory(database))
        house.more = {Diversions: room.pbx.diversions, ClickToCall: room.pbx.click_to_call}
        await house.furnish(GILDONG, GILSUN, DESK, people=(OPERATOR, VIEWER, ADA))
        yield Acting(house, room, simulated)
    await simulated.close()
    await database.close()


async def test_forwarding_is_turned_on_and_read_back(acting: Acting) -> None:
    chat = acting.house.chat(OPERATOR)
    said = await chat.says("착신 전한 해줘")
    assert said.startswith("내선 1010의 착신전환")
    assert "- **무조건**: 켜져 있지만 받을 번호가 없어 전환되지 않습니다" in said
    assert (await chat.says("받지 않을")) == "**받지 않을 때** 어느 번호로 돌릴까요?"
    assert (await chat.says("집으로")).startswith("전화번호가 아닙니다. 그만두시려면 **취소**라고 하십시오.")
    said = await chat.says("010-1234-5678로 돌려 주세요")
    assert said == "내선 1010에 오는 전화를 **받지 않을 때** 01012345678 번호로 돌릴까요?"
    assert await acting.stored() == {}
    said = await chat.says("네")
    assert said.startswith("켰습니다.")
    assert "- **받지 않을 때**: 01012345678 번호로 돌립니다" in said
    assert await acting.stored() == {"NO_ANSWER": "01012345678"}
    assert [row[:3] for row in await acting.house.audit()] == [
        ("mina", "chat", "diversion_changing"),
        ("mina", "chat", "diversion_changed"),
    ]


async def test_forwarding_is_changed_and_turned_off(acting: Acting) -> None:
    await acting.forward()
    chat = acting.house.chat(OPERATOR)
    assert "01012345678 번호로 돌립니다" in await chat.says("forwarding")
    assert "어떻게 할까요" in await chat.says("무조건이요")
    await chat.says("번호 바꾸기")
    await chat.says("01055556666")
    await chat.says("네")
    assert await acting.stored() == {"IMMEDIATE": "01055556666"}
    await chat.says("forwarding")
    await chat.presses("무조건")
    assert await chat.presses("끄기") == "**무조건** 착신전환을 끌까요?"
    assert "저장된 번호 01055556666" in await chat.presses("네")
    assert await acting.stored() == {}


@pytest.mark.parametrize("answer", ["아니요", "취소", "뒤로"])
async def test_nothing_is_changed_without_a_yes(acting: Acting, answer: str) -> None:
    chat = acting.house.chat(OPERATOR)
    await chat.says("forwarding")
    await chat.presses("무조건")
    await chat.says("01055556666")
    await chat.says(answer)
    assert await acting.stored() == {}
    assert await acting.house.audit() == []


async def test_what_others_changed_meanwhile_is_not_overwritten(acting: Acting) -> None:
    chat = acting.house.chat(OPERATOR)
    await chat.says("forwarding")
    await chat.presses("무조건")
    await chat.says("01055556666")
    await acting.forward("01077778888")
    said = await chat.says("네")
    assert said.startswith("그 사이에 다른 곳에서 바뀌었습니다")
    assert "01077778888 번호로 돌립니다" in said
    assert await acting.stored() == {"IMMEDIATE": "01077778888"}


async def test_done_before_and_not_noted_it_is_no_conflict_with_itself(acting: Acting) -> None:
    chat = acting.house.chat(OPERATOR)
    await chat.says("forwarding")
    await chat.presses("무조건")
    await chat.says("01055556666")
    await acting.forward("01055556666")
    assert (await chat.says("네")).startswith("켰습니다.")


@pytest.mark.parametrize("answer", ["010-12", "12/24", "010-1234-56789", "2026-12-24"])
async def test_what_nobody_can_be_called_at_is_refused(acting: Acting, answer: str) -> None:
    chat = acting.house.chat(OPERATOR)
    await chat.says("forwarding")
    await chat.presses("무조건")
    assert (await chat.says(answer)).startswith("전화번호가 아닙니다.")
    assert await chat.says("1012") == "내선 1010에 오는 전화를 **무조건** 1012 번호로 돌릴까요?"


async def test_another_service_where_a_number_was_asked_for(acting: Acting) -> None:
    chat = acting.house.chat(OPERATOR)
    await chat.says("forwarding")
    await chat.presses("무조건")
    assert (await chat.says("tgday")).startswith("하던 일(**착신전환**)은 그만두었습니다.\n\ntgday 날짜를")
    await chat.says("전화 걸기")
    said = await chat.says("박준한테 전화 걸어줘")
    assert said == "내선 1010에서 **박준 (1011)** 번호로 전화를 걸까요?"
    assert (await chat.says("착신전환")).startswith("하던 일(**전화 걸기**)은 그만두었습니다.")


async def test_the_number_of_the_sentence_is_not_asked_for_again(acting: Acting) -> None:
    await acting.forward()
    chat = acting.house.chat(OPERATOR)
    said = await chat.says("착신전환 010-9999-8888로 걸어줘")
    assert said.endswith("**01099998888** 번호로 돌립니다. 어느 것을 바꿀까요?")
    said = await chat.presses("무조건")
    assert said == "내선 1010에 오는 전화를 **무조건** 01099998888 번호로 돌릴까요?"
    assert await acting.stored() == {"IMMEDIATE": "01012345678"}
    await chat.says("네")
    assert await acting.stored() == {"IMMEDIATE": "01099998888"}


async def test_number_and_kind_of_the_sentence_are_only_confirmed(acting: Acting) -> None:
    chat = acting.house.chat(OPERATOR)
    said = await chat.says("받지 않을 때 1012번으로 착신전환 해줘")
    assert said == "내선 1010에 오는 전화를 **받지 않을 때** 1012 번호로 돌릴까요?"
    assert await acting.stored() == {}
    await chat.says("아니요")
    assert (await chat.says("무조건 착신전환 해줘")).endswith("**무조건** 어느 번호로 돌릴까요?")


async def test_a_number_in_the_sentence_that_is_none_is_said(acting: Acting) -> None:
    said = await acting.house.chat(OPERATOR).says("착신전환 010-12로 걸어줘")
    assert said.startswith("쓰신 것은 전화번호가 아니어서 받지 않았습니다.")
    assert said.endswith("\n\n어느 것을 바꿀까요?")


@pytest.mark.parametrize("text", ["착신전환 해제해줘", "착신전환 꺼줘", "착신전환 취소", "전화 돌린 거 꺼줘 착신전환"])
async def test_what_is_on_is_turned_off_at_a_word(acting: Acting, text: str) -> None:
    chat = acting.house.chat(OPERATOR)
    assert (await chat.says(text)).startswith("지금 전화를 돌리는 착신전환이 없어 끌 것이 없습니다.")
    await acting.forward()
    said = await chat.says(text)
    assert "01012345678 번호로 돌립니다" in said
    assert said.endswith("**무조건** 착신전환을 끌까요?")
    assert await acting.stored() == {"IMMEDIATE": "01012345678"}
    assert (await chat.says("네")).startswith("껐습니다.")
    assert await acting.stored() == {}


async def test_of_several_that_are_on_it_is_asked_which_to_turn_off(acting: Acting) -> None:
    await acting.forward()
    await acting.forward("01022223333", DiversionKind.BUSY)
    chat = acting.house.chat(OPERATOR)
    assert (await chat.says("착신전환 꺼줘")).endswith("어느 것을 끌까요?")
    assert chat.card is not None
    assert [choice.title for choice in chat.card.choices] == ["무조건", "통화 중일 때", "그대로 두기"]
    assert await chat.presses("통화 중일 때") == "**통화 중일 때** 착신전환을 끌까요?"
    await chat.says("네")
    assert await acting.stored() == {"IMMEDIATE": "01012345678"}
    await acting.forward("01022223333", DiversionKind.BUSY)
    assert (await chat.says("무조건 착신전환 꺼줘")).endswith("**무조건** 착신전환을 끌까요?")


@pytest.mark.parametrize(
    "text", ["내일 착신전환 좀 걸어줘", "착신전환 6시부터 해줘", "12/24 착신전환", "착신전환 다음 주까지"]
)
async def test_that_nothing_is_set_for_later_is_said(acting: Acting, text: str) -> None:
    chat = acting.house.chat(OPERATOR)
    assert (await chat.says(text)).startswith("착신전환은 예약할 수 없습니다.")
    await chat.presses("무조건")
    said = await chat.says("01012345678")
    assert said == "내선 1010에 오는 전화를 지금부터 바로 **무조건** 01012345678 번호로 돌릴까요?"
    await chat.says("취소")
    assert "예약" not in await chat.says("오늘 착신전환 해줘")


async def test_a_kind_in_words_is_no_other_service(acting: Acting) -> None:
    chat = acting.house.chat(OPERATOR)
    await chat.says("forwarding")
    assert await chat.says("통화 중") == "**통화 중일 때** 어느 번호로 돌릴까요?"


async def test_viewers_see_it_masked_and_change_nothing(acting: Acting) -> None:
    await acting.room.pbx.diversions.change(
        "1011", DiversionKind.BUSY, actor=SOMEBODY_ELSE, version="*", enabled=True, destination="01012345678"
    )
    chat = acting.house.chat(VIEWER)
    said = await chat.says("착신전환")
    assert "- **통화 중일 때**: 010\\*\\*\\*\\*5678 번호로 돌립니다" in said
    assert said.endswith("바꿀 권한이 없어 보여 드리기만 합니다. 필요하시면 관리자에게 문의해 주십시오.")
    assert chat.card is None
    await chat.says("끄기")
    assert await acting.stored("1011") == {"BUSY": "01012345678"}


async def test_who_has_no_extension_has_nothing_to_forward(acting: Acting) -> None:
    assert "등록된 내선이 없어" in await acting.house.chat(ADA).says("착신전환")
    assert "등록된 내선이 없어" in await acting.house.chat(ADA).says("전화 걸기")


async def test_a_round_of_forwarding_is_refused_in_words(acting: Acting) -> None:
    chat = acting.house.chat(OPERATOR)
    await chat.says("forwarding")
    await chat.presses("무조건")
    await chat.says("1010")
    assert await chat.says("네") == "그 번호로는 할 수 없습니다."


async def test_a_gateway_that_is_away_is_said(acting: Acting) -> None:
    await acting.simulated.close()
    await acting.room.until(lambda: acting.room.state("gateway") != "ready")
    assert "교환기에 연결되지 않습니다" in await acting.house.chat(OPERATOR).says("착신전환")


async def test_somebody_is_called_by_name(acting: Acting) -> None:
    chat = acting.house.chat(OPERATOR)
    assert "누구에게 걸까요" in await chat.says("전화 걸어줘")
    assert "번호를 찾지 못했습니다" in await chat.says("세종대왕")
    assert "번호를 찾지 못했습니다" in await chat.says("안내")
    said = await chat.says("홍길동")
    assert said == "내선 1010에서 **홍길동 (07000000801)** 번호로 전화를 걸까요?"
    assert (await chat.presses("네")).startswith("전화를 걸고 있습니다")
    [placed] = await acting.room.pbx.click_to_call.latest(5)
    assert (placed.caller, placed.callee, placed.actor, placed.tenant) == ("1010", "07000000801", "mina", "main")


async def test_who_uses_the_chatbot_is_called_at_their_extension(acting: Acting) -> None:
    chat = acting.house.chat(OPERATOR)
    assert await chat.says("dial 박준") == "내선 1010에서 **박준 (1011)** 번호로 전화를 걸까요?"
    await chat.says("네")
    [placed] = await acting.room.pbx.click_to_call.latest(5)
    assert placed.callee == "1011"
    assert (await chat.says("dial 이다")).startswith("번호를 찾지 못했습니다")


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("홍길동에게 전화 걸어줘", "홍길동 (07000000801)"),
        ("홍길동 님께 전화해 주세요!", "홍길동 (07000000801)"),
        ("박준한테 전화 좀 걸어 줘", "박준 (1011)"),
        ("홍길동님 전화 연결", "홍길동 (07000000801)"),
        ("070-0000-0801로 전화 걸어줘", "07000000801"),
    ],
)
async def test_somebody_is_called_in_one_go(acting: Acting, text: str, called: str) -> None:
    said = await acting.house.chat(OPERATOR).says(text)
    assert said == f"내선 1010에서 **{called}** 번호로 전화를 걸까요?"
    assert "전화를 걸까요" not in await acting.house.chat(VIEWER).says(text)


async def test_a_number_in_a_sentence_is_called(acting: Acting) -> None:
    said = await acting.house.chat(OPERATOR).says("dial 010-1234-5678로 걸어줘")
    assert said == "내선 1010에서 **01012345678** 번호로 전화를 걸까요?"


async def test_without_the_directory_numbers_alone_are_called(acting: Acting) -> None:
    acting.house.directory = EmbeddedDirectory(acting.house.database, acting.house.config.directory)
    chat = acting.house.chat(OPERATOR)
    assert "주소록을 볼 수 없습니다" in await chat.says("dial 홍길동")
    assert "01012345678" in await chat.says("01012345678")


async def test_several_of_that_name_are_offered(acting: Acting) -> None:
    chat = acting.house.chat(OPERATOR)
    assert await chat.says("dial 홍길") == "누구에게 걸까요?"
    assert chat.card is not None
    assert [choice.title for choice in chat.card.choices] == [
        "홍길동 · 인사팀 · 07000000801",
        "홍길순 · 영업팀 · 07000000802",
    ]
    assert "홍길순" in await chat.says("2번")
    assert await chat.says("아니요") == "걸지 않았습니다."
    assert await acting.room.pbx.click_to_call.latest(5) == []


async def test_a_yes_that_is_handled_twice_places_one_call(acting: Acting) -> None:
    chat = acting.house.chat(OPERATOR)
    await chat.says("dial 010-1234-5678")
    card = chat.card
    await chat.says("네")
    assert chat.last is not None
    await chat.send(chat.last)
    await chat.presses("네", on=card)
    assert len(await acting.room.pbx.click_to_call.latest(5)) == 1


async def test_limits_hold(acting: Acting) -> None:
    chat = acting.house.chat(OPERATOR)
    said = []
    for _ in range(3):
        await chat.says("dial 01012345678")
        said.append(await chat.says("네"))
    assert said[2].startswith("한 시간에 걸 수 있는 횟수를")


async def test_a_forwarded_caller_is_told_and_viewers_call_nobody(acting: Acting) -> None:
    await acting.forward()
    chat = acting.house.chat(OPERATOR)
    await chat.says("dial 07000000801")
    assert "착신전환이 켜져 있어" in await chat.says("네")
    assert "전화 걸기" not in await acting.house.chat(VIEWER).says("도움말")
    assert "전화를 걸까요" not in await acting.house.chat(VIEWER).says("dial 07000000801")


def test_every_error_has_its_words() -> None:
    errors = [one for one in vars(contract).values() if isinstance(one, type) and issubclass(one, PbxError)]
    assert len(errors) > 6
    for error in errors:
        made = error("x", retry_after=1.0) if error is contract.TooManyCalls else error("x")
        assert "x" not in why_not(made)
    assert why_not(PbxUnavailable("x", sent=True)) != why_not(PbxUnavailable("x"))
