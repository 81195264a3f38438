"""People of the store beside the directory's entries, found together."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.chatbot.known_people import KnownPeople
from daemon.chatbot.trying import MINA, add_person
from daemon.directory.contract import DirectoryAwayError, Entry, Kind
from daemon.directory.embedded import EmbeddedDirectory
from daemon.directory.index import Index
from tests.daemon.chatbot.house import JUN, House, renamed

JUNHO = Entry(entry_id="p1", kind="person", name="박준호", team="영업팀", number="3001")
SAME_NAME = Entry(entry_id="p2", kind="person", name="박준", team="상담팀", number="3002")
SAME_NUMBER = Entry(entry_id="p3", kind="person", name="김 대리", team="영업팀", number="2001")


def known(house: House, directory: EmbeddedDirectory | None = None, *, max_age: float = 0.0) -> KnownPeople:
    return KnownPeople(house.database, directory or house.directory, Index({}), threshold=0.3, max_age=max_age)


async def found(people: KnownPeople, text: str, **how: Any) -> list[str]:
    return [match.entry.entry_id for match in await people.search(text, **how)]


async def test_entries_and_people_are_ranked_together(house: House) -> None:
    await house.furnish(JUNHO)
    people = known(house)
    assert await found(people, "박준") == ["parley:person:jun", "p1"]
    assert await found(people, "박준", limit=1) == ["parley:person:jun"]
    assert await found(people, "박준호") == ["p1", "parley:person:jun"]
    assert await found(people, "박준", kinds=("team",)) == []
    teams: tuple[Kind, ...] = ("team",)
    [team] = await people.search("상담팀", kinds=teams)
    assert (team.entry.name, team.score) == ("상담팀", 1.0)


async def test_who_is_an_entry_too_is_found_once(house: House) -> None:
    await house.furnish(SAME_NAME, SAME_NUMBER)
    people = known(house)
    assert await found(people, "박준") == ["p2"]
    assert await found(people, "2001") == ["p3"]


async def test_the_row_of_who_was_found_and_the_entry_by_its_id(house: House) -> None:
    await house.furnish(JUNHO)
    people = known(house)
    [match] = await people.search("김미나")
    mina = people.person_of(match.entry)
    assert mina is not None
    assert mina.email == MINA.email
    assert await people.get(match.entry.entry_id) == match.entry
    assert await people.get("p1") == JUNHO
    assert people.person_of(JUNHO) is None
    assert await people.get("parley:person:nobody") is None


async def test_the_members_of_a_team_are_of_both(house: House) -> None:
    await house.furnish(JUNHO)
    assert [one.name for one in await known(house).members("영업팀")] == ["김미나", "박준호"]
    assert await known(house).members("영업") == []


async def test_changes_are_followed_and_what_is_fresh_is_not_read_again(house: House) -> None:
    following, resting = known(house), known(house, max_age=3600.0)
    for people in (following, resting):
        assert await found(people, "박준") == ["parley:person:jun"]
    await add_person(house.database, renamed(JUN, full_name="최가을"))
    assert await found(following, "최가을") == ["parley:person:jun"]
    assert await found(following, "박준") == []
    assert await found(resting, "박준") == ["parley:person:jun"]


async def test_without_the_directory_who_uses_parley_is_found(house: House) -> None:
    people = known(house, EmbeddedDirectory(house.database, house.config.directory))
    assert await found(people, "박준") == ["parley:person:jun"]
    with pytest.raises(DirectoryAwayError):
        await people.search("홍길동")
