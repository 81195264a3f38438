"""What an index finds, how well, and that it forgets what it is told to."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.directory.contract import LONGEST_QUERY, Entry, Kind, Match
from daemon.directory.index import Index
from protocols.synonyms import read_synonyms

HONG = Entry(entry_id="person:1", kind="person", name="홍길동", number="2001", team="인사팀", keywords=("팀장",))
RESET = Entry(
    entry_id="service:IT01",
    kind="service",
    name="비밀번호 초기화",
    description="잊어버린 계정 암호를 새로 만듭니다",
    keywords=("password reset",),
    code="IT01",
)
LEAVE = Entry(entry_id="service:HR01", kind="service", name="휴가 신청", code="HR01", team="인사팀")
PERSONNEL = Entry(entry_id="team:hr", kind="team", name="인사팀", number="7100", keywords=("HR",))
ENTRIES = (HONG, RESET, LEAVE, PERSONNEL)
SYNONYMS = "비번, 비밀번호\n연차 => 휴가\n리셋, 다시 만들기, 초기화\n"


def index_of(*entries: Entry, synonyms: str = SYNONYMS) -> Index:
    index = Index(read_synonyms(synonyms.encode()))
    for entry in entries:
        index.put(entry)
    return index


def found(index: Index, text: str, *, kinds: tuple[Kind, ...] = (), limit: int = 10) -> list[Match]:
    return index.search(text, limit=limit, threshold=0.0, kinds=kinds)


def best(text: str, *, synonyms: str = SYNONYMS) -> Match:
    return found(index_of(*ENTRIES, synonyms=synonyms), text)[0]


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("홍길동", HONG),
        ("2001", HONG),
        ("비밀번호 초기화", RESET),
        ("비밀번호초기화", RESET),
        ("비밀 번호 초기화", RESET),
        ("it01", RESET),
        ("인사팀", PERSONNEL),
    ],
)
def test_what_is_called_so_scores_all(text: str, entry: Entry) -> None:
    match = best(text)
    assert match.entry == entry
    assert match.score == pytest.approx(1.0)


@pytest.mark.parametrize(("text", "entry"), [("Password  RESET", RESET), ("hr", PERSONNEL)])
def test_a_keyword_is_as_good_but_for_a_little(text: str, entry: Entry) -> None:
    match = best(text)
    assert match.entry == entry
    assert match.score == pytest.approx(0.97)


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("IT01 번호를 알려주세요", RESET),
        ("비번 초기화", RESET),
        ("비번 다시 만들기", RESET),
        ("비번리셋", RESET),
        ("연차 신청하려고요", LEAVE),
        ("비밀번호를 초기화하고 싶어요", RESET),
        ("홍길동 팀장님 좀 바꿔주세요", HONG),
        ("ㅎㄱㄷ", HONG),
        ("\u1112\u1100\u1103", HONG),
        ("홍길ㄷ", HONG),
        ("ㅎㄱ ㅅㅊ", LEAVE),
    ],
)
def test_all_of_the_text_is_accounted_for(text: str, entry: Entry) -> None:
    match = best(text)
    assert match.entry == entry
    assert 0.8 <= match.score <= 1


LONG = Entry(entry_id="long", kind="team", name="telecommunications", code="A1B2C3D4E5F6G7H8I9J0", keywords=("VPN",))


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("telecommunications", 1.0),
        ("a1b2c3d4e5f6g7h8i9j0", 1.0),
        ("Virtual private network", 0.9),
        ("virtual private network를 써요", 0.8),
    ],
)
def test_words_and_synonyms_may_be_long(text: str, score: float) -> None:
    [match] = found(index_of(LONG, synonyms="virtual private network, VPN\n"), text)
    assert match.score > score - 1e-9


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("홍긹동", HONG),
        ("홍길둥", HONG),
        ("비밀번허 초기하", RESET),
        ("비밀번호초기하", RESET),
        ("pasword", RESET),
        ("초기", RESET),
        ("밀번호", RESET),
        ("계정 암호", RESET),
    ],
)
def test_slips_parts_and_descriptions_are_found_and_score_less(text: str, entry: Entry) -> None:
    match = best(text)
    assert match.entry == entry
    assert 0.3 <= match.score < 1


def test_the_right_word_is_better_than_one_like_it() -> None:
    index = index_of(*(Entry(entry_id=name, kind="person", name=name) for name in ("김민수", "김민서", "김인수")))
    assert [match.entry.name for match in found(index, "김민수")] == ["김민수"]
    assert [match.entry.name for match in found(index, "김민주")] == ["김민수", "김민서", "김인수"]


def test_a_rare_word_is_worth_more_than_a_common_one() -> None:
    names = ["휴가 신청", "출장 신청", "교육 신청", "명함 신청", "휴가 안내"]
    index = index_of(*(Entry(entry_id=name, kind="service", name=name) for name in names))
    assert [match.entry.name for match in found(index, "명함 신청")][:1] == ["명함 신청"]
    scores = {match.entry.name: match.score for match in found(index, "명함 교육 신청")}
    assert scores["명함 신청"] == scores["교육 신청"] > scores["출장 신청"]


def test_a_word_that_a_line_replaced_means_itself_no_longer() -> None:
    yearly = Entry(entry_id="y", kind="service", name="연차 수당")
    assert found(index_of(yearly, LEAVE), "연차")[0].entry == LEAVE
    assert found(index_of(yearly, LEAVE, synonyms=""), "연차")[0].entry == yearly


CROWD = [
    Entry(
        entry_id=f"z{number:03}", kind="service", name=f"자동차보험 해지 {number:03}", description="보험을 해지합니다"
    )
    for number in range(100)
]


@pytest.mark.parametrize("text", ["자동차보험", "자동차보험을 해지", "해지", "자동차보혐", "ㅈㄷㅊㅂㅎ", "보험"])
@pytest.mark.parametrize("name", [{"name": "{}"}, {"name": "어려운 말로 된 이름", "keywords": ("{}",)}])
def test_however_many_have_the_word_who_is_called_so_comes_first(text: str, name: dict[str, str]) -> None:
    """Each in turn of what is asked for is the whole of a name, among a crowd that has it too."""
    words = {"자동차보혐": "자동차보험", "ㅈㄷㅊㅂㅎ": "자동차보험"}
    called = msgspec.json.decode(msgspec.json.encode(name).replace(b"{}", words.get(text, text).encode()))
    whole = msgspec.convert(called | {"entry_id": "a", "kind": "service"}, Entry)
    assert found(index_of(*CROWD, whole), text)[0].entry == whole


def test_of_many_that_are_as_good_the_first_by_name_are_found() -> None:
    assert found(index_of(*reversed(CROWD)), "해지", limit=3) == found(index_of(*CROWD), "해지", limit=100)[:3]
    assert [match.entry.name[-3:] for match in found(index_of(*CROWD), "해지", limit=3)] == ["000", "001", "002"]


def test_kinds_limit_and_threshold_leave_out() -> None:
    index = index_of(*ENTRIES)
    assert [match.entry for match in found(index, "인사팀")] == [PERSONNEL, HONG, LEAVE]
    assert [match.entry for match in found(index, "인사팀", kinds=("person", "service"))] == [HONG, LEAVE]
    assert [match.entry for match in found(index, "인사팀", limit=1)] == [PERSONNEL]
    assert [match.entry for match in index.search("인사팀", limit=5, threshold=0.9)] == [PERSONNEL]
    with pytest.raises(ValueError, match="limit"):
        found(index, "인사팀", limit=0)


@pytest.mark.parametrize("text", ["", " ", "!?", "고양이 사료", "ㅋ", "\ud800", "\0"])
def test_nothing_is_found_for_nothing(text: str) -> None:
    assert found(index_of(*ENTRIES), text) == []
    assert found(index_of(), text or "홍길동") == []


def test_a_number_is_no_slip_of_another() -> None:
    assert found(index_of(HONG), "2002") == []
    assert found(index_of(HONG), "12001") == []


def test_what_follows_the_longest_query_counts_as_not_said() -> None:
    assert found(index_of(*ENTRIES), "가 " * LONGEST_QUERY + "홍길동") == []


def test_an_entry_that_is_put_again_is_the_new_one_alone() -> None:
    index = index_of(*ENTRIES)
    index.put(Entry(entry_id=HONG.entry_id, kind="person", name="전우치"))
    assert found(index, "홍길동") == []
    assert found(index, "전우치")[0].score == 1.0
    assert len(index) == 4
    index.remove(HONG.entry_id)
    index.remove("nobody")
    assert found(index, "전우치") == []
    assert index.get(HONG.entry_id) is None
    assert index.get(LEAVE.entry_id) == LEAVE
    assert set(index.entry_ids) == {RESET.entry_id, LEAVE.entry_id, PERSONNEL.entry_id}


texts = st.text("가나다각낙ab1 ㄱㄴ", max_size=8)
entries = st.builds(
    Entry,
    entry_id=st.sampled_from("123456"),
    kind=st.just("service"),
    name=texts,
    description=texts,
    keywords=st.lists(texts, max_size=2).map(tuple),
)


@given(st.lists(st.one_of(entries, st.sampled_from("123456")), max_size=12), texts)
def test_an_index_does_not_depend_on_what_it_once_had(steps: list[Entry | str], query: str) -> None:
    index = index_of()
    there: dict[str, Entry] = {}
    for step in steps:
        if isinstance(step, Entry):
            index.put(step)
            there[step.entry_id] = step
        else:
            index.remove(step)
            there.pop(step, None)
    assert found(index, query) == found(index_of(*there.values()), query)


@given(st.lists(entries, max_size=6), st.one_of(texts, st.text(max_size=20)))
def test_scores_are_above_nothing_and_at_most_one_and_fall(some: list[Entry], query: str) -> None:
    scores = [match.score for match in found(index_of(*some), query)]
    assert all(0 < score <= 1 for score in scores)
    assert scores == sorted(scores, reverse=True)


@given(st.text("가나다라마바사", min_size=2, max_size=6))
def test_any_name_is_found_by_itself_and_by_its_initials(name: str) -> None:
    index = index_of(Entry(entry_id="1", kind="person", name=name))
    assert found(index, name)[0].score == 1.0
    assert found(index, "".join("ㄱㄴㄷㄹㅁㅂㅅ"["가나다라마바사".index(letter)] for letter in name))[0].score > 0.8


def test_a_replaced_word_is_no_part_of_another_either() -> None:
    yearly = Entry(entry_id="y", kind="service", name="연차수당")
    assert [match.entry for match in found(index_of(yearly, LEAVE), "연차")] == [LEAVE]
    assert found(index_of(yearly, LEAVE), "연차수당")[0].score == pytest.approx(1.0)
