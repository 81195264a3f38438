import string
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.toml_lines import KeyPath, key_lines

RICH = '''\
# a comment with [brackets] and "quotes
title = "a # no comment"   # a comment
"quoted key" = 'lit\\eral'
"\\uD658\\uBD88" = 1
dotted . "with space" . key = [1, 2]

text = """
[not.a.header]
not = "a key" \\"""
still """" # closed by the last three
other = \'\'\'
[[nor.this]]
'\'\'\'\'

[server]
inline = { host = "a}b", "po.rt" = 80, deep = { x = [ { y = 1 }, { y = 2 } ] } }
many = [
  "a]", # ]
  { key = 1 },

  [ [ ],
    "x" ],
]
date = 1979-05-27 07:32:00
empty = ""

[[switch]]
name = "a"
  [[switch.leg]]
  id = 1
  [[switch.leg]]
  id = 2
  [switch.leg.more]
  x = +inf
[[ switch ]]
  [[switch.leg]]
  id = 3
[ "a"."b c" ]
last=true'''

EXPECTED = {
    ("title",): 2,
    ("quoted key",): 3,
    ("환불",): 4,
    ("dotted",): 5,
    ("dotted", "with space", "key", 1): 5,
    ("text",): 7,
    ("other",): 11,
    ("server",): 15,
    ("server", "inline", "po.rt"): 16,
    ("server", "inline", "deep", "x", 1, "y"): 16,
    ("server", "many"): 17,
    ("server", "many", 0): 18,
    ("server", "many", 1, "key"): 19,
    ("server", "many", 2, 0): 21,
    ("server", "many", 2, 1): 22,
    ("server", "date"): 24,
    ("switch",): 27,
    ("switch", 0, "leg", 0, "id"): 30,
    ("switch", 0, "leg", 1): 31,
    ("switch", 0, "leg", 1, "more", "x"): 34,
    ("switch", 1): 35,
    ("switch", 1, "leg", 0, "id"): 37,
    ("a",): 38,
    ("a", "b c", "last"): 39,
}


def paths_of(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    """Every path in a parsed document, by the parser that decides what a document means."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path} - {()} | {deeper for step, item in items for deeper in paths_of(item, (*path, step))}


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_key_is_found_where_it_stands(line_end: str) -> None:
    document = RICH.replace("\n", line_end)
    lines = key_lines(document)
    assert {path: lines[path] for path in EXPECTED} == EXPECTED
    assert set(lines) == paths_of(tomllib.loads(document))


_key = st.text(string.ascii_letters + "-_0", min_size=1, max_size=3) | st.sampled_from(['"a b"', "'c.d'", '"\\n"'])
_scalar = st.sampled_from(
    ["1", "true", "-2.5e3", '"x"', "'y'", '""', "''", '"""\nz = 1\n"""', "'''\n[q]\n'''", "07:32:00"]
)
_value = st.recursive(
    _scalar,
    lambda inner: (
        st.builds(
            lambda items, gap: f"[{gap}" + f",{gap}".join(items) + f"{gap}]",
            st.lists(inner, max_size=3),
            st.sampled_from(["", " ", "\n", " # note ]\n"]),
        )
        | st.builds(
            lambda items: "{" + ", ".join(f"k{index} = {item}" for index, item in enumerate(items)) + "}",
            st.lists(inner.filter(lambda text: "\n" not in text), max_size=3),
        )
    ),
    max_leaves=6,
)
_line = (
    st.builds(lambda keys, value: f"{'.'.join(keys)} = {value}", st.lists(_key, min_size=1, max_size=3), _value)
    | st.builds(lambda keys: f"[{' . '.join(keys)}]", st.lists(_key, min_size=1, max_size=3))
    | st.builds(lambda keys: f"[[{'.'.join(keys)}]]", st.lists(_key, min_size=1, max_size=3))
    | st.sampled_from(["", "# a = 1", "  "])
)


@given(st.lists(_line, max_size=8))
def test_paths_are_those_of_the_parser_and_lines_those_of_growing_prefixes(rows: list[str]) -> None:
    """Wherever the parser accepts a document, the scanner names the same keys, each inside the statement it is in."""
    kept: list[str] = []
    first_row: dict[KeyPath, int] = {}
    for row in rows:
        try:
            known = paths_of(tomllib.loads("\n".join([*kept, row])))
        except tomllib.TOMLDecodeError:
            continue
        start = sum(text.count("\n") + 1 for text in kept) + 1
        for path in known:
            first_row.setdefault(path, start)
        kept.append(row)
    lines = key_lines("\n".join(kept))
    assert set(lines) == set(first_row)
    starts = [*sorted(set(first_row.values())), len(kept) * 100]
    for path, line in lines.items():
        after = next(start for start in starts if start > first_row[path])
        assert first_row[path] <= line < after
