"""How much of what people ask for is found among the first three, measured on queries that a person judged."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest

from daemon.config import DirectoryConfig, ElasticsearchConfig
from daemon.directory.contract import Directory, Entry, Match
from daemon.directory.elasticsearch.engine import ElasticsearchDirectory
from daemon.directory.embedded import EmbeddedDirectory
from daemon.secrets import Secrets
from daemon.stores.database import Database
from daemon.stores.directory_entries import save_directory_entries
from tests.daemon.directory.conftest import EXAMPLES
from tests.daemon.directory.garbled import garbled
from tests.daemon.directory.judged import JUDGED

CONFIG = DirectoryConfig(synonyms=str(EXAMPLES / "synonyms.txt"))
CITIES = "가람 나루 다솜 라온 마루 바른 사랑 아침 자람 차오름 큰솔 태평 푸른 한빛"
THINGS = "창고 공장 매장 연구소 기숙사 도서관 체육관 실험실 정비소 물류장"
DEEDS = "신청 조회 예약 발급 등록 신고 정산 안내 요청 문의"


@pytest.fixture
async def judged_database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database.of(f"sqlite:///{tmp_path / 'parley.db'}")
    await database.upgrade()
    yield database
    await database.close()


@pytest.fixture
async def embedded(judged_database: Database) -> EmbeddedDirectory:
    return EmbeddedDirectory(judged_database, CONFIG)


@pytest.fixture
async def remote(
    judged_database: Database, elasticsearch: ElasticsearchConfig
) -> AsyncIterator[ElasticsearchDirectory]:
    config = msgspec.structs.replace(CONFIG, elasticsearch=elasticsearch)
    directory = ElasticsearchDirectory(judged_database, config, Secrets({}), holder=lambda: "a test")
    yield directory
    await directory.close()


@pytest.fixture(params=["embedded", "elasticsearch"])
def engine(
    request: pytest.FixtureRequest, embedded: EmbeddedDirectory, remote: ElasticsearchDirectory
) -> EmbeddedDirectory | ElasticsearchDirectory:
    """Each engine in turn."""
    return embedded if request.param == "embedded" else remote


async def save(database: Database, entries: Sequence[Entry]) -> None:
    async with database.transaction() as connection:
        await save_directory_entries(connection, entries)


async def recall(directory: Directory) -> tuple[float, list[str]]:
    """The mean share of the right entries that are among the first three, and the queries that miss one."""
    shares = []
    missed = []
    for query, right in JUDGED:
        found = {match.entry.name for match in await directory.search(query, limit=3)}
        shares.append(len(found & set(right)) / len(right))
        if shares[-1] < 1:
            missed.append(query)
    return sum(shares) / len(shares), missed


def rounded(matches: Sequence[Match]) -> list[tuple[float, str]]:
    return [(round(match.score, 6), match.entry.entry_id) for match in matches]


def test_the_set_is_whole(example_entries: list[Entry]) -> None:
    names = {entry.name for entry in example_entries}
    assert len(JUDGED) == len({query for query, _ in JUDGED}) == 60
    assert all(right and set(right) <= names for _, right in JUDGED)


@pytest.mark.parametrize("beside", [0, 2000])
async def test_recall_in_the_first_three(
    engine: EmbeddedDirectory | ElasticsearchDirectory,
    judged_database: Database,
    example_entries: list[Entry],
    beside: int,
) -> None:
    await save(judged_database, [*example_entries, *others(beside)])
    await engine.refresh()
    measured, missed = await recall(engine)
    assert measured >= 0.95, missed


@pytest.mark.parametrize("beside", [0, 2000])
async def test_both_engines_find_the_same(
    embedded: EmbeddedDirectory,
    remote: ElasticsearchDirectory,
    judged_database: Database,
    example_entries: list[Entry],
    beside: int,
) -> None:
    await save(judged_database, [*example_entries, *others(beside)])
    for engine in (embedded, remote):
        await engine.refresh()
    for query, _ in JUDGED:
        assert rounded(await remote.search(query)) == rounded(await embedded.search(query)), query
        people = await remote.search(query, kinds=["person", "team"])
        assert rounded(people) == rounded(await embedded.search(query, kinds=["person", "team"])), query


async def test_both_engines_find_the_same_of_what_nobody_judged(
    embedded: EmbeddedDirectory,
    remote: ElasticsearchDirectory,
    judged_database: Database,
    example_entries: list[Entry],
) -> None:
    await save(judged_database, example_entries)
    for engine in (embedded, remote):
        await engine.refresh()
    for text in garbled(example_entries, 200):
        assert rounded(await remote.search(text)) == rounded(await embedded.search(text)), text


async def test_both_engines_find_the_same_among_a_crowd(
    embedded: EmbeddedDirectory, remote: ElasticsearchDirectory, judged_database: Database
) -> None:
    """More entries have the words than an engine looks at in full."""
    crowd = [
        Entry(
            entry_id=f"service:{number}",
            kind="service",
            name=f"프린터 고장 {number:03}",
            description="프린터 수리를 합니다",
        )
        for number in range(300)
    ]
    called = [
        Entry(entry_id="a", kind="service", name="프린터"),
        Entry(entry_id="b", kind="service", name="종이에 찍는 기계", keywords=("고장",), team="프린터 팀"),
    ]
    await save(judged_database, [*crowd, *called])
    for engine in (embedded, remote):
        await engine.refresh()
    for text in ("프린터", "고장", "프린터 고장", "프린터 수리", "프린타", "ㅍㄹㅌ", "프린터가 고장났어요", "프린"):
        found = await remote.search(text)
        assert rounded(found) == rounded(await embedded.search(text)), text
        assert found[0].entry in called or text.startswith("프린터 ") or text.endswith("고장났어요"), text


def others(count: int) -> list[Entry]:
    """Branches far away, which share endings, verbs and parts of names with the examples."""
    chance = random.Random(1)
    cities, things, deeds = CITIES.split(), THINGS.split(), DEEDS.split()
    family, given = "김이박최정강조윤장임한오서신권황", "하은수아진영호성훈정미경희선재석"
    made = []
    for number in range(count):
        name = f"{chance.choice(cities)} {chance.choice(things)} {chance.choice(deeds)}"
        if number % 2:
            name = "".join(chance.choice(letters) for letters in (family, given, given))
        made.append(Entry(entry_id=f"other:{number}", kind="person" if number % 2 else "service", name=name))
    return made


async def test_what_nobody_there_can_answer_scores_little(
    engine: EmbeddedDirectory | ElasticsearchDirectory, judged_database: Database, example_entries: list[Entry]
) -> None:
    await save(judged_database, example_entries)
    await engine.refresh()
    for query in ("오늘 날씨 어때요", "비트코인 시세", "고양이 사료", "내일 눈 오나요", "hello world", "피자 주문", ""):
        assert await engine.search(query, limit=3) == [], query
