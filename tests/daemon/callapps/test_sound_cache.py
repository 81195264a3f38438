"""Which sound files are kept, and which are given up."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from daemon.callapps.sound_cache import SoundCache


def opened(folder: Path, max_bytes: int = 100) -> SoundCache:
    cache = SoundCache(folder, max_bytes)
    cache.open()
    return cache


def put(cache: SoundCache, name: str, size: int = 40) -> None:
    cache.unfinished(name).write_bytes(bytes(size))
    cache.put(name)


def names(cache: SoundCache) -> list[str]:
    return sorted(path.name for path in cache.folder.iterdir())


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    cache = opened(tmp_path / "new" / "voice")
    put(cache, "a.wav")
    put(cache, "b.wav")
    assert cache.has("a.wav")
    put(cache, "c.wav")
    assert names(cache) == ["a.wav", "c.wav"]
    assert not cache.has("b.wav")
    assert oct((tmp_path / "new" / "voice" / "a.wav").stat().st_mode) == "0o100644"


def test_what_is_played_stays_until_it_is_over(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    put(cache, "a.wav", 60)
    with cache.playing("a.wav") as path, cache.playing("a.wav"):
        put(cache, "b.wav", 60)
        put(cache, "c.wav", 60)
        assert path.exists()
        assert names(cache) == ["a.wav", "c.wav"]
    assert names(cache) == ["c.wav"]


def test_what_cannot_be_given_up_fails_nobody_who_plays(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    put(cache, "a.wav", 60)
    with cache.playing("a.wav") as path:
        put(cache, "b.wav", 60)
        path.unlink()
        path.mkdir()
    assert names(cache) == ["a.wav", "b.wav"]


def test_a_restart_knows_what_was_used_and_leaves_nothing_unfinished(tmp_path: Path) -> None:
    for age, name in enumerate(("c.wav", "a.wav", "b.wav")):
        (tmp_path / name).write_bytes(bytes(40))
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    before = opened(tmp_path, 1000)
    before.unfinished("d.wav").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("not ours")
    assert names(opened(tmp_path)) == ["a.wav", "c.wav", "notes.txt"]


def test_what_somebody_else_has_tidied_up_is_not_there(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    put(cache, "a.wav")
    (tmp_path / "a.wav").unlink()
    assert not cache.has("a.wav")
    put(cache, "a.wav", 100)
    assert cache.has("a.wav")


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 60), st.booleans()), max_size=20), st.integers(60, 120)
)
def test_the_bound_holds_and_nothing_vanishes_while_it_is_played(
    steps: list[tuple[str, int, bool]], max_bytes: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as playing:
        cache = opened(Path(folder), max_bytes)
        held: set[Path] = set()
        for letter, size, plays in steps:
            name = f"{letter}.wav"
            if not cache.has(name):
                put(cache, name, size)
            if plays and cache.has(name):
                held.add(playing.enter_context(cache.playing(name)))
            assert all(path.exists() for path in held)
        playing.close()
        there = list(cache.folder.iterdir())
        assert sum(path.stat().st_size for path in there) <= max_bytes
        assert all(cache.has(path.name) for path in there)
