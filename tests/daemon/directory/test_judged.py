"""How much of what people ask for is found among the first three, measured on queries that a person judged."""

from __future__ import annotations

import random

from daemon.config import DirectoryConfig
from daemon.directory.contract import Entry
from daemon.directory.index import Index
from protocols.synonyms import read_synonyms
from tests.daemon.directory.conftest import EXAMPLES
from tests.daemon.directory.judged import JUDGED

THRESHOLD = DirectoryConfig().threshold
CITIES = "가람 나루 다솜 라온 마루 바른 사랑 아침 자람 차오름 큰솔 태평 푸른 한빛"
THINGS = "창고 공장 매장 연구소 기숙사 도서관 체육관 실험실 정비소 물류장"
DEEDS = "신청 조회 예약 발급 등록 신고 정산 안내 요청 문의"


def recall(index: Index) -> tuple[float, list[str]]:
    """The mean share of the right entries that are among the first three, and the queries that miss one."""
    shares = []
    missed = []
    for query, right in JUDGED:
        found = {match.entry.name for match in index.search(query, limit=3, threshold=THRESHOLD)}
        shares.append(len(found & set(right)) / len(right))
        if shares[-1] < 1:
            missed.append(query)
    return sum(shares) / len(shares), missed


def test_the_set_is_whole(example_entries: list[Entry]) -> None:
    names = {entry.name for entry in example_entries}
    assert len(JUDGED) == len({query for query, _ in JUDGED}) == 60
    assert all(right and set(right) <= names for _, right in JUDGED)


def test_recall_in_the_first_three(example_index: Index) -> None:
    measured, missed = recall(example_index)
    assert measured >= 0.95, missed


def test_recall_among_two_thousand_others(example_entries: list[Entry]) -> None:
    index = Index(read_synonyms((EXAMPLES / "synonyms.txt").read_bytes()))
    for entry in (*example_entries, *others(2000)):
        index.put(entry)
    measured, missed = recall(index)
    assert measured >= 0.95, missed


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


def test_what_nobody_there_can_answer_scores_little(example_index: Index) -> None:
    for query in ("오늘 날씨 어때요", "비트코인 시세", "고양이 사료", "내일 눈 오나요", "hello world", "피자 주문"):
        assert example_index.search(query, limit=3, threshold=THRESHOLD) == [], query
