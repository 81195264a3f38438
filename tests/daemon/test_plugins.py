"""Plugins: found by their path, given what they ask for, and what is wrong with one is said in full."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from daemon.plugins import PluginError, add_folders, load

Write = Callable[[str, str], str]


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Writes a module into a folder of plugins; returns its name. What is imported from there is forgotten again."""
    before_path, before_modules = list(sys.path), set(sys.modules)
    folder = tmp_path / "plugins"
    folder.mkdir()
    add_folders([str(folder)])

    def make(name: str, text: str) -> str:
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        add_folders([])
        return name

    yield make
    sys.path[:] = before_path
    for name in set(sys.modules) - before_modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


GREETING = """
import msgspec
from decimal import Decimal
from fractions import Fraction

class Options(msgspec.Struct):
    times: int = 1

async def greet(name: str, *, price: Decimal, half: Fraction | None = None, options: Options = Options()) -> str:
    "Says hello."
    assert half is None
    return f"{name} {price};" * options.times

async def plain(name: str) -> str:
    return name
"""


async def test_a_file_in_a_folder_is_a_plugin_and_gets_what_it_asks_for(write: Write) -> None:
    plugin = load(f"{write('greeting_one', GREETING)}:greet")
    assert plugin.description == "Says hello."
    assert list(plugin.arguments) == ["name"]
    assert (plugin.wants(Decimal), plugin.wants(Fraction), plugin.wants(str)) == (True, True, False)
    bound = plugin.bind({Decimal: Decimal("1.5")}, taken={"name", "unused"}, options={"times": 2})
    assert await bound(name="진", unused=1) == "진 1.5;진 1.5;"
    once = plugin.bind({Decimal: Decimal("1.5")}, taken={"name"})
    assert await once(name="진") == "진 1.5;"


async def test_it_is_imported_only_when_it_is_named(write: Write) -> None:
    write("never_named", "raise RuntimeError('imported')")
    load(f"{write('greeting_two', GREETING)}:plain")
    assert "never_named" not in sys.modules


def test_a_folder_hides_no_module(write: Write) -> None:
    write("colorsys", "async def f() -> None: ...")
    with pytest.raises(PluginError, match="colorsys has no f"):
        load("colorsys:f")


WRONG = [
    ("plain", "", "names no function", "package.module:name"),
    ("no_such_place.at_all:f", "", "there is no module no_such_place", "[plugins] path"),
    ("{}:f", "import no_such_thing_here", "needs the module no_such_thing_here", "install no_such_thing_here"),
    ("{}:f", "x = 1\ny = 1 / 0", "ZeroDivisionError: division by zero (line 2)", "mend it"),
    ("{}:f", "def f(:", "cannot be imported: SyntaxError", "mend it"),
    ("{}:f", "import sys\nsys.exit(3)", "cannot be imported: SystemExit: 3", "mend it"),
    ("{}:sned", "async def send(): ...", "has no sned", 'did you mean "send"?'),
    ("{}:f", "x = 1", "has no f", "name an async function"),
    ("{}:f", "def f(): ...", "is no async function", "async def"),
    ("{}:f", "async def f(*numbers: int): ...", "has the parameter *numbers: int", "name each"),
    ("{}:f", "async def f(number: int, /): ...", "has the parameter number: int", "name each"),
    ("{}:f", "async def f(number): ...", "does not say what number is", "a type"),
    ("{}:f", "async def f(number: 'Missing'): ...", "NameError: name 'Missing'", "import every type"),
]


@pytest.mark.parametrize(("path", "text", "problem", "remedy"), WRONG)
def test_what_cannot_be_loaded_is_said_with_what_to_do(
    write: Write, request: pytest.FixtureRequest, path: str, text: str, problem: str, remedy: str
) -> None:
    name = write(f"wrong_{WRONG.index((path, text, problem, remedy))}", text)
    with pytest.raises(PluginError) as raised:
        load(path.format(name))
    assert problem in str(raised.value)
    assert remedy in raised.value.remedy


UNBOUND: list[tuple[str, dict[str, Any], str]] = [
    ("a: int, b: int", {"taken": {"a"}}, "takes b, which nobody gives"),
    ("a: int = 1, *, p: Printer", {}, "needs p: Printer, which is not there"),
    ("*, p: int | str", {}, "needs p: int | str, which is not there"),
    ("*, options: dict[str, int]", {"options": {"a": "x"}}, "do not fit: Expected `int`, got `str`"),
    ("*, options: dict[str, int] = {}", {"options": {"a": "x"}}, "do not fit"),
    ("a: int = 1", {"options": {"a": 1}}, "takes no options"),
    ("*, options: list[int] | set[int]", {}, "cannot be read from a table"),
]


@pytest.mark.parametrize(("parameters", "given", "problem"), UNBOUND)
def test_what_is_missing_is_named(write: Write, parameters: str, given: dict[str, Any], problem: str) -> None:
    numbered = [one[0] for one in UNBOUND].index(parameters)
    text = f"class Printer: ...\nasync def f({parameters}): ..."
    plugin = load(f"{write(f'unbound_{numbered}', text)}:f")
    with pytest.raises(PluginError) as raised:
        plugin.bind({Decimal: Decimal(1)}, **given)
    assert problem in str(raised.value)
    assert raised.value.remedy


async def test_options_may_be_a_plain_table(write: Write) -> None:
    name = write("with_table", "async def f(*, options: dict[str, list[int]]): return options")
    assert await load(f"{name}:f").bind({}, options={"a": [1, 2]})() == {"a": [1, 2]}


async def test_what_is_given_at_each_call_is_not_supplied_once(write: Write) -> None:
    name = write("given_anew", "async def f(*, word: str, options: dict[str, int] = {}): return word")
    bound = load(f"{name}:f").bind({str: "supplied"}, taken={"word"})
    assert await bound(word="given") == "given"
