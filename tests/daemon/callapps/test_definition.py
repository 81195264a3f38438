"""What can be a call app, and what is said of what cannot."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.callapps.contract import AppCall
from daemon.callapps.definition import BUILT_IN, define
from daemon.config import CallAppConfig, Config
from daemon.plugin_rules import supplied_types
from daemon.plugins import PluginError
from daemon.secrets import Secrets
from tests.daemon.callapps.example_apps import Script

EXAMPLES = "tests.daemon.callapps.example_apps"


def app(use: str, **fields: Any) -> CallAppConfig:
    return CallAppConfig(name="order", use=use, **fields)


@pytest.mark.parametrize("name", ["scripted", "Scripted"])
async def test_a_function_and_a_class(name: str) -> None:
    given: list[AppCall] = []

    async def does(call: AppCall) -> None:
        given.append(call)

    definition = define(app(f"{EXAMPLES}:{name}"))
    definition.check({Script})
    call: Any = object()
    await definition.bind({Script: Script(does)})(call)
    assert given == [call]
    with pytest.raises(PluginError, match="needs script"):
        definition.check(())


OPTIONS: dict[str, dict[str, Any]] = {
    "relay": {"url": "wss://relay.example.com/"},
    "survey": {"question": [{"name": "mark", "kind": "scale", "text": "몇 점을 주시겠어요?"}]},
}


@pytest.mark.parametrize("name", BUILT_IN)
def test_those_that_come_with_parley(name: str) -> None:
    define(app(name, options=OPTIONS.get(name, {}))).check(supplied_types(Config()))


@pytest.mark.parametrize(
    ("use", "problem"),
    [
        ("eco", 'no built-in app "eco"'),
        (f"{EXAMPLES}:greedy", "takes 2 arguments"),
        (f"{EXAMPLES}:Runless", "no async method run"),
        (f"{EXAMPLES}:absent", "has no absent"),
        ("no_such_module:app", "no module"),
    ],
)
def test_what_is_no_app(use: str, problem: str) -> None:
    with pytest.raises(PluginError, match=problem):
        define(app(use))


async def test_an_app_gets_its_own_table_and_secret() -> None:
    config = app(f"{EXAMPLES}:owning")
    definition = define(config)
    definition.check(())
    given: list[object] = []
    call: Any = given
    await definition.bind({}, Secrets({"PARLEY_CALLAPP_ORDER_SECRET": "s3"}))(call)
    await definition.bind({}, Secrets({}))(call)
    assert given == [config, "s3", config, None]


def test_what_nobody_has() -> None:
    with pytest.raises(PluginError, match="needs weather"):
        define(app(f"{EXAMPLES}:needy")).check({Script})


def test_options_that_do_not_fit() -> None:
    with pytest.raises(PluginError, match="takes no options"):
        define(app("echo", options={"loud": True})).check(())
