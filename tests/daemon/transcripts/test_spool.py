"""The spool: in order, across segments and processes, whatever is cut off, damaged or refused."""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from daemon.transcripts.spool import MAGIC, Spool, SpoolInUseError, frame, parse

payloads = st.lists(st.binary(min_size=1, max_size=40), max_size=12)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "lock")


def drain(spool: Spool, batch: int = 3) -> list[bytes]:
    drained: list[bytes] = []
    while found := spool.read(batch):
        drained += found
        spool.consume(len(found))
    return drained


@given(payloads)
def test_what_was_framed_is_parsed(records: list[bytes]) -> None:
    assert parse(b"".join(map(frame, records)))[0] == records


@given(payloads, st.data())
def test_a_cut_anywhere_leaves_the_records_before_it(records: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(map(frame, records))
    cut = data.draw(st.integers(0, len(whole)))
    found, ends = parse(whole[:cut])
    assert found == records[: len(found)]
    assert len(found) == sum(end <= cut for end in parse(whole)[1])
    assert ends == parse(whole)[1][: len(found)]


@settings(max_examples=400)
@given(payloads, st.data())
def test_damage_anywhere_leaves_the_records_before_it(records: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(b"".join(map(frame, records)))
    at = data.draw(st.integers(0, len(whole)))
    change = data.draw(st.sampled_from(["flip", "zero", "insert", "delete", "garbage"]))
    if change == "flip" and at < len(whole):
        whole[at] ^= 1 << data.draw(st.integers(0, 7))
    elif change == "zero":
        whole[at:] = bytes(len(whole) - at)
    elif change == "insert":
        whole[at:at] = data.draw(st.binary(min_size=1, max_size=8))
    elif change == "delete":
        del whole[at : at + data.draw(st.integers(1, 8))]
    else:
        whole += data.draw(st.binary(max_size=40))
    found = parse(bytes(whole))[0]
    untouched = sum(end <= at for end in parse(b"".join(map(frame, records)))[1])
    assert found[:untouched] == records[:untouched]
    assert found == records[: len(found)]


def test_records_come_out_in_order_and_stay_until_consumed(folder: Path) -> None:
    spool = Spool(folder, segment_bytes=64)
    records = [f"record {number}".encode() for number in range(50)]
    for number in range(0, 50, 5):
        spool.append(records[number : number + 5])
    assert spool.waiting == 50
    assert len(files(folder)) > 5
    assert spool.read(7) == spool.read(7) == records[:7]
    spool.consume(7)
    assert spool.waiting == 43
    assert spool.read(100) == records[7:]
    spool.consume(20)
    assert drain(spool) == records[27:]
    spool.append([b"next"])
    assert drain(spool) == [b"next"]


def test_nothing_consumed_stays_on_the_disk(folder: Path) -> None:
    spool = Spool(folder, segment_bytes=64)
    for _ in range(3):
        spool.append([b"something that was said"] * 10)
        drain(spool)
    content = b"".join((folder / name).read_bytes() for name in files(folder))
    assert content == MAGIC
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {(folder / name).stat().st_mode & 0o777 for name in files(folder)} == {0o600}


def test_the_next_process_finds_what_was_not_consumed(folder: Path) -> None:
    spool = Spool(folder, segment_bytes=64)
    records = [f"record {number}".encode() for number in range(20)]
    for record in records:
        spool.append([record])
    spool.read(5)
    spool.consume(5)
    spool.close()
    again = Spool(folder, segment_bytes=64)
    again.open()
    again.append([b"new"])
    found = drain(again)
    # A segment is replayed from its beginning: what was consumed of it comes again, in order.
    assert found[-len(records[5:]) - 1 :] == [*records[5:], b"new"]
    assert found == [*records[len(records) + 1 - len(found) :], b"new"]


def test_one_process_at_a_time(folder: Path) -> None:
    first = Spool(folder)
    first.append([b"mine"])
    with pytest.raises(SpoolInUseError):
        Spool(folder).open()
    first.close()
    second = Spool(folder)
    assert drain(second) == [b"mine"]


def test_a_torn_last_record_is_dropped_counted_and_kept_aside(folder: Path) -> None:
    spool = Spool(folder)
    spool.append([b"one", b"two", b"three"])
    spool.close()
    (name,) = files(folder)
    path = folder / name
    path.write_bytes(path.read_bytes()[:-1])
    again = Spool(folder)
    again.append([b"four"])
    assert again.damaged == 1
    assert drain(again) == [b"one", b"two", b"four"]
    assert files(folder) == [path.with_suffix(".damaged").name, "0000000000000002.spool"]


@pytest.mark.parametrize("content", [b"", b"PARL", b"something else altogether"])
def test_a_file_that_is_no_segment_does_no_harm(folder: Path, content: bytes) -> None:
    folder.mkdir()
    (folder / "0000000000000007.spool").write_bytes(content)
    spool = Spool(folder)
    spool.append([b"one"])
    assert drain(spool) == [b"one"]
    assert spool.damaged == bool(content)
    assert "0000000000000008.spool" in files(folder)


@pytest.mark.parametrize("active", [True, False])
def test_damage_under_our_feet_costs_only_what_follows_it_in_the_file(folder: Path, active: bool) -> None:
    spool = Spool(folder, segment_bytes=1000 if active else 30)
    spool.append([b"record one", b"record two", b"record three"])
    path = folder / files(folder)[0]
    content = bytearray(path.read_bytes())
    content[content.index(b"two")] ^= 1
    path.write_bytes(content)
    if not active:
        spool.append([b"elsewhere"])
    assert spool.read(100) == [b"record one", *([] if active else [b"elsewhere"])]
    spool.append([b"later"])
    assert spool.waiting == (2 if active else 3)
    assert drain(spool) == [b"record one", *([] if active else [b"elsewhere"]), b"later"]
    assert spool.waiting == 0
    assert spool.damaged == 1


def test_records_longer_than_a_chunk(folder: Path) -> None:
    spool = Spool(folder)
    records = [bytes([65 + number]) * 700_000 for number in range(4)] + [b"short"]
    spool.append(records)
    assert drain(spool) == records


@contextmanager
def files_of_4096_bytes() -> Iterator[None]:
    """Writing past 4,096 bytes of any file fails, after what still fits was written.

    Any file of the process: what is reported about a test may go into a longer one, so it must end within the test.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_write_that_fails_half_way_leaves_no_trace(folder: Path) -> None:
    spool = Spool(folder)
    with files_of_4096_bytes():
        spool.append([b"a" * 3000])
        for _ in range(3):
            with pytest.raises(OSError, match="File too large"):
                spool.append([b"b" * 600, b"c" * 600])
        waiting = spool.waiting
        spool.append([b"d" * 500])
    assert waiting == 1
    assert drain(spool) == [b"a" * 3000, b"d" * 500]
    assert os.path.getsize(folder / files(folder)[0]) == len(MAGIC)


def test_a_folder_that_cannot_be_made_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    spool = Spool(tmp_path / "state" / "spool")
    for _ in range(2):
        with pytest.raises(OSError, match="Not a directory"):
            spool.append([b"one"])
    (tmp_path / "state").unlink()
    spool.append([b"one"])
    assert drain(spool) == [b"one"]


class SpoolMachine(RuleBasedStateMachine):
    """Any order of appends, reads, consumes and restarts against a plain list."""

    @initialize(size=st.sampled_from([1, 60, 5000]))
    def begin(self, size: int) -> None:
        self.home = tempfile.TemporaryDirectory()
        self.size = size
        self.spool = Spool(Path(self.home.name), segment_bytes=size)
        self.expected: list[bytes] = []
        self.number = 0
        self.read = 0

    @rule(count=st.integers(1, 6), length=st.integers(0, 30))
    def append(self, count: int, length: int) -> None:
        records = [b"%d:" % (self.number + one) + b"x" * length for one in range(count)]
        self.number += count
        self.spool.append(records)
        self.expected += records

    @rule(limit=st.integers(1, 8))
    def look(self, limit: int) -> None:
        assert self.spool.read(limit) == self.expected[:limit]
        self.read = min(limit, len(self.expected))

    @rule(part=st.floats(0, 1))
    def consume(self, part: float) -> None:
        count = int(self.read * part)
        self.spool.consume(count)
        del self.expected[:count]
        self.read -= count

    @rule()
    def restart(self) -> None:
        self.spool.close()
        self.spool = Spool(Path(self.home.name), segment_bytes=self.size)
        self.spool.open()
        replayed = self.spool.waiting - len(self.expected)
        assert replayed >= 0
        # What was consumed of the oldest segment comes once more, before all else.
        again = self.spool.read(replayed)
        assert [int(record.split(b":")[0]) for record in again + self.expected] == list(
            range(self.number - replayed - len(self.expected), self.number)
        )
        self.spool.consume(replayed)
        self.read = 0

    @invariant()
    def counts(self) -> None:
        if hasattr(self, "spool"):
            assert self.spool.waiting == len(self.expected)

    def teardown(self) -> None:
        if hasattr(self, "spool"):
            self.spool.close()
            self.home.cleanup()


TestSpoolMachine = SpoolMachine.TestCase
TestSpoolMachine.settings = settings(max_examples=60, deadline=None)
