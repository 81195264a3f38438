"""Reading the configuration file: every mistake at once, by key and line, with what to do about it.

``msgspec.convert`` stops at the first error, which makes a person start the service once per mistake. So the file is
held against the Structs of :mod:`daemon.config` here, one key at a time, and only a file without mistakes is
converted.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from daemon.broken_rule import BrokenRule
from daemon.config import Config
from daemon.config_rules import broken_rules, unwritable
from daemon.errors import ConfigError, Mistake
from daemon.secrets import Secrets
from daemon.toml_lines import KeyPath, key_lines

DEFAULT_PATH = Path("/etc/parley/parley.toml")

Rules = Callable[[Config], Iterable[BrokenRule]]
"""Further rules, of rooms that this module knows nothing of."""

_MAX_SYNTAX_MISTAKES = 20
_SHAPE = inspect.type_info(Config)


def load(path: Path, secrets: Secrets | None, *, places: bool = False, rules: Rules | None = None) -> Config:
    """The configuration in the file at ``path``; raises :class:`ConfigError` with everything that is wrong with it.

    ``secrets`` is only asked whether each needed secret is there; ``None``: it does not matter whether they are.
    With ``places`` the folders it names are looked at too: whether the service could write there. ``rules`` are held
    against it beside its own.
    """
    try:
        document = path.read_text(encoding="utf-8")
    except OSError as error:
        remedy = "name another file with --config FILE, or copy config/parley.toml there"
        problem = f"cannot be read ({error.strerror})"
        raise ConfigError(str(path), [Mistake("", None, problem, remedy)]) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        mistake = Mistake("", line, "this is not UTF-8 text", "save the file as UTF-8")
        raise ConfigError(str(path), [mistake]) from error
    config, mistakes = read(document, secrets, places=places, rules=rules)
    if mistakes:
        raise ConfigError(str(path), mistakes)
    return config


def read(
    document: str, secrets: Secrets | None, *, places: bool = False, rules: Rules | None = None
) -> tuple[Config, list[Mistake]]:
    """The configuration in ``document`` and what is wrong with it, in the order of the lines.

    Where something is wrong the Config holds the default in its place: it is for looking further, not for running.
    """
    values, lines, mistakes, whole = _parse(document)
    if not whole:
        return Config(), mistakes
    walk = _Walk(lines)
    config = msgspec.convert(walk.clean(_SHAPE, values, ()), Config)
    mistakes += walk.mistakes
    found = (
        *broken_rules(config, secrets),
        *(unwritable(config) if places else ()),
        *(rules(config) if rules is not None else ()),
    )
    for broken in found:
        if not walk.doubts(broken.path) and not (broken.rival and walk.doubts(broken.rival)):
            mistakes.append(Mistake(written(broken.path), walk.line(broken.path), broken.problem, broken.remedy))
    mistakes.sort(key=lambda mistake: math.inf if mistake.line is None else mistake.line)
    return config, mistakes


def written(path: KeyPath) -> str:
    """A key's path as a person writes it: ``web.listener[0].port``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _parse(document: str) -> tuple[dict[str, Any], dict[KeyPath, int], list[Mistake], bool]:
    """The values, the lines of their keys, the syntax mistakes, and whether the rest still means what it says.

    A line that is no TOML is taken out and the parser asked again, so that one slip does not hide the others. A
    table's header cannot be taken out that way: the keys below it would land in another table.
    """
    rows = document.split("\n")
    mistakes: list[Mistake] = []
    whole = True
    while True:
        text = "\n".join(rows)
        try:
            return tomllib.loads(text), key_lines(text), mistakes, whole
        except tomllib.TOMLDecodeError as error:
            found = re.fullmatch(r"(?s)(.*) \(at (?:line (\d+), column \d+|end of document)\)", str(error))
            problem, number = (found[1], found[2]) if found else (str(error), None)
            row = int(number) - 1 if number else None
            line = None if row is None else row + 1
            mistakes.append(Mistake("", line, f"this is not TOML: {_lower(problem)}", "mend or remove the line"))
            if row is None or not rows[row].strip() or len(mistakes) == _MAX_SYNTAX_MISTAKES:
                return {}, {}, mistakes, False
            whole = whole and not rows[row].lstrip().startswith("[")
            rows[row] = ""


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


class _Walk:
    """Holds parsed values against the Structs and keeps those that fit."""

    def __init__(self, lines: dict[KeyPath, int]) -> None:
        self._lines = lines
        self.mistakes: list[Mistake] = []
        self._wrong: set[KeyPath] = set()

    def line(self, path: KeyPath) -> int | None:
        """The line of ``path``, or of the nearest table around it: a missing key stands nowhere itself."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return None

    def doubts(self, path: KeyPath) -> bool:
        """Whether the value at ``path`` is only a default in the place of a wrong one."""
        return any(path[: len(wrong)] == wrong or wrong[: len(path)] == path for wrong in self._wrong)

    def _mistake(self, path: KeyPath, problem: str, remedy: str) -> None:
        self._wrong.add(path)
        self.mistakes.append(Mistake(written(path), self.line(path), problem, remedy))

    def clean(self, shape: inspect.Type, value: Any, path: KeyPath) -> Any:
        """``value`` without what does not fit ``shape``; ``msgspec.UNSET`` where nothing of it does."""
        match shape:
            case inspect.StructType() if isinstance(value, dict):
                return self._table(shape, value, path)
            case inspect.ListType() if isinstance(value, list):
                items = [self.clean(shape.item_type, item, (*path, index)) for index, item in enumerate(value)]
                return msgspec.UNSET if msgspec.UNSET in items else items
            case inspect.DictType() if isinstance(value, dict):
                named = {key: self.clean(shape.value_type, item, (*path, key)) for key, item in value.items()}
                return msgspec.UNSET if msgspec.UNSET in named.values() else named
        fits, wanted = _judge(shape, value)
        if fits:
            return value
        self._mistake(path, f"{_shown(value)} does not fit", f"give {wanted}")
        return msgspec.UNSET

    def _table(self, shape: inspect.StructType, table: dict[str, Any], path: KeyPath) -> dict[str, Any]:
        fields = {field.encode_name: field.type for field in shape.fields}
        kept = {}
        for key, value in table.items():
            here = (*path, key)
            if key not in fields:
                self._mistake(here, "there is no such key", _advice(key, fields, path))
                continue
            fit = self.clean(fields[key], value, here)
            if fit is not msgspec.UNSET:
                kept[key] = fit
        return kept


def _advice(key: str, fields: dict[str, inspect.Type], path: KeyPath) -> str:
    if re.search("passw|secret|token", key.lower()):
        return "no secret stands in this file: remove it, and give it as a credential or an environment variable"
    close = difflib.get_close_matches(key.lower().replace("-", "_"), fields, n=1)
    if close:
        return f'did you mean "{close[0]}"?'
    homes = [home for home in _homes(_SHAPE, key, "") if home != re.sub(r"\[\d+\]", "", written(path))]
    if homes:
        return f"it belongs into {' or '.join(f'[{home}]' for home in homes)}"
    return f"remove it, or use one of: {', '.join(fields)}"


def _homes(shape: inspect.Type, key: str, table: str) -> list[str]:
    """The tables that do have ``key``."""
    if isinstance(shape, inspect.ListType):
        return [f"[{home}]" if home == table else home for home in _homes(shape.item_type, key, table)]
    if not isinstance(shape, inspect.StructType):
        return []
    homes = [table] if table and any(field.encode_name == key for field in shape.fields) else []
    for field in shape.fields:
        homes += _homes(field.type, key, f"{table}.{field.encode_name}" if table else field.encode_name)
    return homes


def _shown(value: Any) -> str:
    match value:
        case dict():
            return "a table"
        case list():
            return "an array"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value[:40]}…"' if len(value) > 41 else f'"{value}"'
        case _:
            return str(value)


def _judge(shape: inspect.Type, value: Any) -> tuple[bool, str]:
    """Whether ``value`` fits, and what would."""
    match shape:
        case inspect.BoolType():
            return isinstance(value, bool), "true or false"
        case inspect.IntType():
            fits = isinstance(value, int) and not isinstance(value, bool) and _within(shape, value)
            return fits, f"a whole number{_bounds(shape)}"
        case inspect.FloatType():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return number and math.isfinite(value) and _within(shape, value), f"a number{_bounds(shape)}"
        case inspect.LiteralType():
            fits = any(value == choice and type(value) is type(choice) for choice in shape.values)
            return fits, f"one of {', '.join(_shown(choice) for choice in shape.values)}"
        case inspect.StrType():
            fits = isinstance(value, str) and (not shape.pattern or re.search(shape.pattern, value) is not None)
            anchored = (shape.pattern or "").removeprefix("^").removesuffix(r"\Z")
            return fits, f"text like {anchored}" if anchored else "text in quotes"
        case inspect.ListType():
            tables = isinstance(shape.item_type, inspect.StructType)
            return False, "tables, each under a heading in double brackets" if tables else "an array in brackets"
        case inspect.StructType() | inspect.DictType():
            return False, "a table"
        case inspect.AnyType():
            return True, "anything"
        case _:
            raise NotImplementedError(f"no configuration key may have the type {shape}")


def _within(shape: inspect.IntType | inspect.FloatType, value: float) -> bool:
    return (
        (shape.gt is None or value > shape.gt)
        and (shape.ge is None or value >= shape.ge)
        and (shape.lt is None or value < shape.lt)
        and (shape.le is None or value <= shape.le)
    )


def _bounds(shape: inspect.IntType | inspect.FloatType) -> str:
    signs = (("above", shape.gt), ("from", shape.ge), ("below", shape.lt), ("up to", shape.le))
    return "".join(f" {sign} {bound:g}" for sign, bound in signs if bound is not None)
