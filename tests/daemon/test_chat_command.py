"""``parley chat``, as somebody uses it who writes a service or asks what there is."""

from __future__ import annotations

from pathlib import Path

from daemon.chatbot.trying import MINA, add_person
from daemon.stores.database import Database
from daemon.stores.people import get_person
from daemon.stores.tgdays import get_tgday
from tests.daemon.shell import Said, typed_into

SERVICE = '''\
from daemon.chatbot.contract import Choice, Field
from daemon.chatbot.turn import Reply, Turn, ask, done


async def lunch(turn: Turn) -> Reply:
    """점심을 주문합니다."""
    if turn.step == "":
        return ask("*무엇*을 드릴까요? \\\\(둘 중\\\\)", step="dish", choices=["국수", Choice("비빔밥", "rice")])
    if turn.step == "dish":
        fields = [Field(name="count", label="몇 그릇", kind="number", value="1"), Field(name="for", label="누구")]
        return ask("몇 그릇인가요?", step="count", slots={"dish": turn.choice}, fields=fields)
    return done(f"{turn.slots['dish']} {turn.inputs['count']} {turn.inputs['for']}")
'''


async def chat(folder: Path, *words: str, typed: str = "") -> Said:
    """``parley chat`` in ``folder``, with somebody who types."""
    return await typed_into(folder, "chat", *words, typed=typed)


async def test_a_service_is_tried_in_the_folder_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "food.py").write_text(SERVICE)
    said = await chat(tmp_path, "try", "food:lunch", typed="lunch\n2\n\n\n나\n")
    assert (said.code, said.err) == (0, "")
    assert said.out.partition("Ctrl-D ends it.\n")[2] == (
        "you: lunch\n"
        "bot: *무엇*을 드릴까요? (둘 중)\n"
        "  [1] 국수\n"
        "  [2] 비빔밥\n"
        "you: 2\n"
        "bot: 몇 그릇인가요?\n"
        "  (a form: 몇 그릇, 누구; an empty line fills it in)\n"
        "you: \n"
        "  몇 그릇 [1]: \n"
        "  누구: 나\n"
        "bot: rice 1 나\n"
        "you: \n"
    )


async def test_a_form_is_left_by_a_word_and_by_the_end(tmp_path: Path) -> None:
    (tmp_path / "food.py").write_text(SERVICE)
    said = await chat(tmp_path, "try", "food:lunch", typed="lunch\n국수\n\n취소\n")
    assert "하던 일을 그만두었습니다" in said.out
    said = await chat(tmp_path, "try", "food:lunch", typed="lunch\n국수\n\n3\n")
    assert said.code == 0
    assert said.out.endswith("누구: \n")


async def test_what_is_wrong_with_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "food.py").write_text(SERVICE)
    said = await chat(tmp_path, "try", "food:dinner")
    assert said.code == 1
    assert 'food has no dinner; did you mean "lunch"?' in said.err


async def test_the_role_says_what_is_offered(tmp_path: Path) -> None:
    viewer = await chat(tmp_path, "try", "--role", "viewer", typed="도움말\n")
    assert "tgday" in viewer.out
    assert "메일" not in viewer.out


async def test_with_a_name_it_is_done_for_real_and_links_nobody(tmp_path: Path) -> None:
    path = tmp_path / "parley.toml"
    path.write_text(f'[service]\nstate_dir = "{tmp_path}/state"\n')
    said = await chat(tmp_path, "try", "--config", str(path), "--as", "mina", typed="tgday\n")
    assert said.code == 1
    assert "there is no mina" in said.err
    database = Database.of(f"sqlite:///{tmp_path}/state/parley.db")
    await add_person(database, MINA)
    said = await chat(tmp_path, "try", "--config", str(path), "--as", "mina", typed="tgday 오늘\n")
    assert "등록했습니다" in said.out, said.err
    async with database.read() as connection:
        assert await get_tgday(connection, "mina") is not None
        mina = await get_person(connection, "mina")
    await database.close()
    assert mina is not None
    assert mina.webex_person_id is None


async def test_what_is_offered_is_listed(tmp_path: Path) -> None:
    path = tmp_path / "parley.toml"
    path.write_text('[[chatbot.service]]\nname = "tgday"\ntitle = "쉬는 날"\nrole = "admin"\n')
    said = await chat(tmp_path, "list", "--config", str(path))
    assert said.code == 0, said.err
    assert "tgday: 쉬는 날 (admin), 티지데이, tg day, 내 tgday, 날짜 등록\n  이달의 tgday를" in said.out
    assert "dial: 전화 걸기 (operator)" in said.out
    assert "not offered: it needs click_to_call; set url in [pbx]" in said.out
