"""The documents of entries, and the definition of the index that holds them."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from daemon.directory.contract import Entry
from daemon.directory.elasticsearch import documents
from daemon.directory.elasticsearch.documents import (
    TIE_ORDER,
    WHOLE_FIELDS,
    WORD_FIELDS,
    definition,
    document_id,
    document_of,
    entry_of,
)

CHECKOUT = Path(__file__).parents[4]
HONG = Entry(
    entry_id="person:1",
    kind="person",
    name="홍 길동",
    number="2001",
    team="인사팀",
    description="채용",
    keywords=("팀장",),
)


def test_a_word_stands_in_the_field_of_its_greatest_weight() -> None:
    document = document_of(HONG)
    assert document["named"] == sorted(["홍", "길동", "2001"])
    assert document["further_named"] == ["팀장"]
    assert document["in_team"] == ["인사팀"]
    assert document["described"] == ["채용"]
    assert document["whole_named"] == sorted(["홍길동", "2001"])
    assert document["whole_further_named"] == ["팀장"]
    assert [document[field] for field in TIE_ORDER] == [4, "홍 길동", "person:1"]
    doubled = document_of(msgspec.structs.replace(HONG, description="길동 인사팀"))
    assert doubled["described"] == []


def test_what_is_written_otherwise_is_found_by_grams() -> None:
    document = document_of(HONG)
    assert {"길동", "팀장"} <= set(document["parts"])
    assert {"ㅎㄱ", "ㄱㄷ"} <= set(document["initials"])
    assert "ㅎㅗㅇㄱㅣㄹㄷㅗㅇ" in document["keys"]
    assert {"^ㅎㅗ", "ㄷㅗㅇ", "ㅗㅇ$"} <= set(document["triples"])


def test_the_definition_has_the_fields_of_a_document_and_no_other() -> None:
    fields = definition()["mappings"]["properties"]
    assert fields.keys() == {*document_of(HONG), "words"}
    assert {name for name, field in fields.items() if field.get("copy_to") == "words"} == set(WORD_FIELDS)
    counted = {*WORD_FIELDS, *WHOLE_FIELDS}
    assert all(fields[name].get("doc_values", True) for name in counted)


SAMPLES = (
    HONG,
    Entry(
        entry_id="service:IT03",
        kind="service",
        name="무선 인터넷 연결",
        code="IT03",
        description="손님과 직원의 와이파이 접속을 도와드립니다",
        keywords=("Wi-Fi", "wireless network", "ㅇㅍ"),
    ),
)
MADE = {2: "635bb3c5b0a1c0d3"}


def test_documents_of_another_making_have_another_format() -> None:
    """Where this fails because documents have changed, ``format`` in the definition grows by one: an index that is
    there is made anew then."""
    made = msgspec.json.encode([document_of(entry) for entry in SAMPLES], order="sorted")
    fields = msgspec.json.encode(definition()["mappings"]["properties"], order="sorted")
    assert {definition()["mappings"]["_meta"]["format"]: sha256(made + fields).hexdigest()[:16]} == MADE


@given(st.text(max_size=200), st.text(max_size=30), st.lists(st.text(max_size=30), max_size=3))
def test_every_entry_comes_back_from_its_document(description: str, name: str, keywords: list[str]) -> None:
    entry = Entry(entry_id="x", kind="service", name=name, description=description, keywords=tuple(keywords))
    assert entry_of(msgspec.json.decode(msgspec.json.encode(document_of(entry)))) == entry


def test_an_installed_wheel_has_the_definition_beside_the_code(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read(f"{documents.__package__.replace('.', '/')}/elasticsearch.json")
    assert msgspec.json.decode(packed) == definition()


def test_ids_of_documents_are_short_and_differ() -> None:
    ids = {document_id(entry_id) for entry_id in ("", "가" * 200, "가" * 199, "person:1")}
    assert len(ids) == 4
    assert all(len(each) == 32 for each in ids)
