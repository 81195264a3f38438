"""The entries of the directory's benchmark."""

from __future__ import annotations

from tests.bench.directory_entries import entries


def test_they_are_as_many_as_wanted_and_the_same_each_time() -> None:
    made = entries(2000)
    assert made == entries(2000)
    assert len({entry.entry_id for entry in made}) == 2000
    assert {entry.kind for entry in made} == {"service", "person", "team"}
    assert made[0].name == "인사팀", "the judged queries ask for the examples"
