"""Reading a ``.env`` file the way the usual readers of such files do.

``NAME=value`` a line, blanks around both allowed, ``export`` before the name ignored. A value stands bare (up to a
blank and ``#``), in single quotes (where a backslash only escapes itself and the quote) or in double quotes (with the
escapes of C); a quoted one may run over lines. ``${NAME}`` and ``${NAME:-default}`` mean a value given further up,
except in single quotes. The last of two equal names wins.
"""

from __future__ import annotations

import re

import msgspec

_LINE = re.compile(
    r"""
    [ \t]*
    (?: (?:export[ \t]+)? (?P<name> [A-Za-z_][A-Za-z0-9_.]* ) [ \t]* = [ \t]*
        (?: '(?P<single> (?:\\.|[^'\\])* )' (?P<after1> [^\n]* )
          | "(?P<double> (?:\\.|[^"\\])* )" (?P<after2> [^\n]* )
          | (?P<bare> [^\n]* )
        )
      | (?P<other> [^\n]* )
    )
    (?: \n | \Z )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_REFERENCE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


class EnvValue(msgspec.Struct, frozen=True):
    """A value and the line, from 1, on which it stands."""

    text: str
    line: int


class EnvFile(msgspec.Struct, frozen=True):
    """The values of a file by name, and what was odd about it, one sentence each, without any value."""

    values: dict[str, EnvValue]
    remarks: list[str]


def read_env(document: str) -> EnvFile:
    """Everything that ``document`` gives. What cannot be read is remarked upon, and the rest is read all the same."""
    document = document.removeprefix("\ufeff").replace("\r\n", "\n")
    values: dict[str, EnvValue] = {}
    remarks: list[str] = []
    at = 0
    while at < len(document):
        found = _LINE.match(document, at)
        assert found is not None, "every line matches one way or the other"  # noqa: S101
        line = document.count("\n", 0, at) + 1
        at = found.end()
        if found["name"] is None:
            if found["other"].strip() and not found["other"].lstrip().startswith("#"):
                remarks.append(f"line {line} is not NAME=value and was passed over")
            continue
        name = found["name"]
        text, odd = _value(found, values)
        remarks += [f"line {line}, {name}: {remark}" for remark in odd]
        if name in values and values[name].text != text:
            remarks.append(f"{name} stands on line {values[name].line} and on line {line}; the latter was taken")
        values[name] = EnvValue(text, line)
    return EnvFile(values, remarks)


def _value(found: re.Match[str], values: dict[str, EnvValue]) -> tuple[str, list[str]]:
    odd = []
    if found["single"] is not None:
        text = re.sub(r"\\([\\'])", r"\1", found["single"])
        after = found["after1"]
    elif found["double"] is not None:
        text = re.sub(
            r"(?s)\\(.)",
            lambda sign: _ESCAPED.get(sign[1], sign[1] if sign[1] in "\\'\"$" else sign[0]),
            found["double"],
        )
        after = found["after2"]
    else:
        text, after = re.split(r"(?:^|[ \t]+)#", found["bare"], maxsplit=1)[0].strip(), ""
        if text[:1] in ("'", '"'):
            odd.append("the quote is never closed")
    if after.strip() and not after.lstrip().startswith("#"):
        odd.append("what follows the closing quote was passed over")
    if found["single"] is None:
        text = _REFERENCE.sub(lambda reference: _referred(reference, values, odd), text)
    return text, odd


def _referred(reference: re.Match[str], values: dict[str, EnvValue], odd: list[str]) -> str:
    given = values.get(reference["name"])
    if given is not None:
        return given.text
    if reference["default"] is not None:
        return reference["default"]
    odd.append(f"{reference[0]} is given nowhere above and was left as it is")
    return reference[0]
