"""Plugins of the configuration: found in their folders, and what is wrong with one is said by key and line."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import web

from daemon.__main__ import main
from daemon.chatbot.supplies import OF_SERVICES
from daemon.config import Config, PbxConfig, ServiceConfig, ToolConfig
from daemon.config_file import load
from daemon.inbox.contract import Delivery, PermanentError, RetryLaterError
from daemon.plugin_rules import broken_plugins, supplied_types
from daemon.secrets import Secrets
from daemon.service import Service
from tests.daemon.inbox.receiver import Receiver
from tests.daemon.pbx.conftest import ENVIRONMENT, configured

README = Path(__file__).parents[2] / "README.md"

Configure = Callable[[str], Path]


@pytest.fixture
def plugins(tmp_path: Path) -> Iterator[Path]:
    """A folder of plugins; what is imported from there is forgotten again."""
    before = list(sys.path)
    folder = tmp_path / "plugins"
    folder.mkdir()
    yield folder
    sys.path[:] = before
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def configure(plugins: Path, tmp_path: Path) -> Configure:
    """Writes a configuration with that folder."""

    def write(more: str) -> Path:
        path = tmp_path / "parley.toml"
        path.write_text(f'[service]\nstate_dir = "{tmp_path}/state"\n[plugins]\npath = ["{plugins}"]\n{more}')
        return path

    return write


def blocks_of(text: str) -> list[str]:
    """The indented blocks of a document."""
    return [textwrap.dedent(block) for block in re.findall(r"(?m)(?:^(?:    .*)?\n)+", text) if block.strip()]


@pytest.fixture
def shop(plugins: Path) -> str:
    """The tool of the README, written where its configuration looks for it; returns the configuration."""
    blocks = blocks_of(README.read_text())
    (code,) = [block for block in blocks if "async def order_status" in block]
    (lines,) = [block for block in blocks if "[[tool]]" in block]
    (plugins / "shop.py").write_text(code)
    assert '[plugins]\npath = ["/etc/parley/plugins"]\n' in lines
    return lines.replace('[plugins]\npath = ["/etc/parley/plugins"]\n', "").strip()


def test_the_tool_of_the_readme_is_right(configure: Configure, shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", str(configure(shop))]) == 0, capsys.readouterr().err


async def test_the_tool_of_the_readme_answers(configure: Configure, shop: str) -> None:
    config = load(configure(shop), None, rules=broken_plugins)
    service = Service(config, Secrets({}))
    answer = await service.rooms.tools.ask("order_status", b'{"order": "1002"}')
    assert json.loads(answer.body) == {"order": "1002", "state": "on its way"}
    await service.rooms.tools.close()
    await service.rooms.database.close()


def test_the_call_app_of_the_readme_is_right(
    configure: Configure, plugins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = blocks_of(README.read_text())
    (code,) = [block for block in blocks if "async def repeat" in block]
    (lines,) = [block for block in blocks if 'use = "repeat:repeat"' in block]
    (plugins / "repeat.py").write_text(code)
    path = str(configure(lines.replace('[plugins]\npath = ["/etc/parley/plugins"]\n', "")))
    assert main(["check", "--config", path]) == 0, capsys.readouterr().err
    capsys.readouterr()
    assert main(["app", "list", "--config", path]) == 0
    assert capsys.readouterr().out == (
        "repeat: Repeat what the caller says or presses, until nothing more comes.\n  repeat:repeat, codes repeat\n"
    )


def test_the_outgoing_calls_of_the_readme_are_right(
    configure: Configure, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_SWITCH_MAIN_PASSWORD", "example")
    (lines,) = [block for block in blocks_of(README.read_text()) if "[callapps.outgoing]" in block]
    path = str(configure(f'{lines}\n[[callapps.app]]\nname = "repeat"\nuse = "echo"\n'))
    assert main(["check", "--config", path]) == 0, capsys.readouterr().err
    capsys.readouterr()
    assert main(["app", "list", "--config", path]) == 0
    assert capsys.readouterr().out.endswith("echo, those alone that are placed into it\n")


def test_the_apps_in_the_box_are_configured_as_the_readme_shows(
    configure: Configure, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (lines,) = [block for block in blocks_of(README.read_text()) if 'use = "relay"' in block]
    path = str(configure(lines))
    assert main(["check", "--config", path]) == 78
    assert "the secret callapp-flowers-secret is missing" in capsys.readouterr().err
    monkeypatch.setenv("PARLEY_CALLAPP_FLOWERS_SECRET", "example-secret")
    assert main(["check", "--config", path]) == 0, capsys.readouterr().err
    capsys.readouterr()
    assert main(["app", "list", "--config", path]) == 0
    listed = capsys.readouterr().out
    assert "directory, codes reception" in listed
    assert "survey, codes satisfaction" in listed
    assert "relay, numbers 07000001001" in listed


def test_check_says_what_options_of_an_app_do_not_fit(
    configure: Configure, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_CALLAPP_A_SECRET", "example-secret")
    path = configure(
        '[[callapps.app]]\nname = "a"\nuse = "relay"\ncodes = ["a"]\noptions = { url = "ws://10.0.0.7/" }\n'
        '[[callapps.app]]\nname = "b"\nuse = "survey"\ncodes = ["b"]\n[[callapps.app.options.question]]\n'
        'name = "way"\ntext = "?"\nchoices = ["가"]\n'
        '[[callapps.app]]\nname = "c"\nuse = "directory"\ncodes = ["c"]\noptions = { greetings = "?" }\n'
        '[[callapps.app]]\nname = "d"\nuse = "relay"\ncodes = ["d"]\n'
    )
    assert main(["check", "--config", str(path)]) == 78
    said = capsys.readouterr().err
    assert re.search(r"line 9: .*callapps\.app\[0\]\.options.*name 10\.0\.0\.7, or its network", said), said
    assert re.search(r"callapps\.app\[1\]\.options.*the question way needs 2 to 9 choices", said), said
    assert re.search(r"callapps\.app\[2\]\.options.*unknown field `greetings`", said), said
    assert re.search(r"callapps\.app\[3\]\.options.*missing required field `url`", said), said
    assert "the secret callapp-d-secret is missing" in said


def test_check_names_what_is_no_call_app(
    configure: Configure, plugins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (plugins / "half.py").write_text("class A:\n    async def run(self, call: str, *, p: float) -> None: ...\n")
    path = configure(
        '[[callapps.app]]\nname = "a"\nuse = "half:A"\ncodes = ["a"]\n'
        '[[callapps.app]]\nname = "b"\nuse = "whole:b"\ncodes = ["b"]\n'
        '[[callapps.app]]\nname = "c"\nuse = "echoes"\ncodes = ["a"]\n'
    )
    assert main(["check", "--config", str(path)]) == 78
    said = capsys.readouterr().err
    assert "callapps.app[0].use" in said
    assert "half:A takes p where nobody gives it" in said
    assert "there is no module whole" in said
    assert 'no built-in app "echoes"' in said
    assert 'calls of the code "a" are for a already' in said


def test_no_call_app_is_listed_where_none_is_used(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["app", "list", "--config", str(configure('[[callapps.app]]\ncodes = ["a"]\n'))]) == 0
    assert "no call is touched" in capsys.readouterr().out


def test_the_chatbot_service_of_the_readme_is_right(
    configure: Configure, plugins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = blocks_of(README.read_text())
    (code,) = [block for block in blocks if "async def book_room" in block]
    (lines,) = [block for block in blocks if 'use = "rooms:book_room"' in block]
    (test,) = [block for block in blocks if "async def test_a_room_is_booked" in block]
    (plugins / "rooms.py").write_text(code)
    (plugins / "test_rooms.py").write_text(textwrap.dedent(test))
    path = str(configure(lines.replace('[plugins]\npath = ["/etc/parley/plugins"]\n', "")))
    assert main(["check", "--config", path]) == 0, capsys.readouterr().err
    capsys.readouterr()
    assert main(["chat", "list", "--config", path]) == 0
    listed = capsys.readouterr().out
    assert "room: 회의실 예약 (operator), 미팅룸\n  회의실을 예약합니다\n" in listed
    assert "not offered: it needs diversions; set url in [pbx]" in listed
    asyncio.run(importlib.import_module("test_rooms").test_a_room_is_booked())


def test_check_says_what_is_wrong_with_services(
    configure: Configure, plugins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (plugins / "half.py").write_text(
        "from daemon.chatbot.turn import Turn\n"
        "async def a(turn: Turn, *, p: float): ...\n"
        "async def b(*, p: int = 1): ...\n"
        "class C:\n    async def run(self, turn: Turn): ...\n"
    )
    path = configure(
        '[chatbot]\nbuilt_in = ["tgday", "weather", "mail"]\n'
        '[[chatbot.service]]\nname = "a"\nuse = "half:a"\n'
        '[[chatbot.service]]\nname = "b"\nuse = "half:b"\n'
        '[[chatbot.service]]\nname = "c"\nuse = "half:C"\nwords = ["취소!"]\n'
        '[[chatbot.service]]\nname = "mail"\noptions = { per_day = 3 }\n'
        '[[chatbot.service]]\nname = "forwarding"\n'
        '[[chatbot.service]]\nname = "d"\nuse = "half:C"\n'
    )
    assert main(["check", "--config", str(path)]) == 78
    said = capsys.readouterr().err
    assert "6 mistakes" in said
    assert re.search(r'line 6: chatbot\.built_in\[1\]: there is no built-in service "weather"', said), said
    assert "line 9: chatbot.service[0].use: half:a needs p: float, which is not there" in said
    assert "line 12: chatbot.service[1].use: half:b takes 0 arguments by position" in said
    assert 'chatbot.service[2].use: a service cannot be called "취소!"' in said
    assert re.search(r"chatbot\.service\[3\]\.options.*unknown field `per_day`", said), said
    forwarding = "daemon.chatbot.services.forwarding:forwarding needs diversions: Diversions, which is not there"
    assert f"chatbot.service[4].name: {forwarding}; set url in [pbx]" in said


async def test_the_handler_of_the_readme_does_what_it_says(
    configure: Configure, plugins: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = blocks_of(README.read_text())
    (code,) = [block for block in blocks if "async def tell_channel" in block]
    (lines,) = [block for block in blocks if "[[inbox.handler]]" in block]
    (plugins / "notify.py").write_text(code)
    monkeypatch.setenv("PARLEY_SOURCE_GITHUB_SECRET", "example-secret")
    async with Receiver() as receiver:
        lines = lines.replace('[plugins]\npath = ["/etc/parley/plugins"]\n', "")
        path = configure(lines.replace("https://chat.example.com/hooks/ops", receiver.url()))
        checked = await asyncio.to_thread(main, ["check", "--config", str(path)])
        assert checked == 0, capsys.readouterr().err
        service = Service(load(path, Secrets(), rules=broken_plugins), Secrets())
        [handler] = service.rooms.inbox.handlers.of("github", "push")
        body = {"pusher": {"name": "example"}, "repository": {"full_name": "example/shop"}}
        push = delivery(json.dumps(body).encode())
        await handler.handle(push)
        [got] = receiver.got
        assert json.loads(got.body) == {"text": "example pushed to example/shop"}
        assert got.headers["idempotency-key"] == push.idempotency_key
        for status, error in ((503, RetryLaterError), (400, PermanentError)):
            receiver.answer = lambda _, status=status: web.Response(status=status)
            with pytest.raises(error):
                await handler.handle(push)
        await service.rooms.tools.close()
        await service.rooms.database.close()


def delivery(body: bytes) -> Delivery:
    return Delivery(
        delivery_id="d",
        source="github",
        event="push",
        other_id=None,
        key="",
        received_at=0.0,
        attempt=1,
        idempotency_key="d/channel",
        address="",
        redacted=False,
        headers={},
        body=body,
    )


def test_check_names_every_wrong_plugin_by_key_and_line(
    configure: Configure, plugins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (plugins / "half.py").write_text("async def a(x) -> dict: ...\nasync def b(*, p: float) -> dict: ...\n")
    path = configure(
        '[[tool]]\nname = "a"\nuse = "half:a"\n'
        '[[tool]]\nname = "b"\nuse = "half:b"\n'
        '[[tool]]\nname = "set_diversion"\n'
        '[[tool]]\nname = "c"\nuse = "whole:c"\n'
        '[inbound]\ndeadline = 1.0\nuse = "half:b"\n'
    )
    assert main(["check", "--config", str(path)]) == 78
    said = capsys.readouterr().err
    assert "5 mistakes" in said
    assert "line 7: tool[0].use: half:a does not say what x is; give the parameter a type" in said
    assert "line 10: tool[1].use: half:b needs p: float, which is not there" in said
    needed = "daemon.tools.set_diversion:set_diversion needs diversions: Diversions, which is not there"
    assert f"line 12: tool[2].name: {needed}; set url in [pbx]" in said
    assert "line 15: tool[3].use: there is no module whole; mend its name, or put its folder into [plugins]" in said
    assert "line 18: inbound.use: half:b needs p: float" in said


def test_nothing_is_imported_from_a_folder_that_is_not_right(
    configure: Configure, plugins: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (plugins / "never_run.py").write_text("raise SystemExit(5)\n")
    path = configure('[[tool]]\nname = "a"\nuse = "never_run:a"\n')
    plugins.chmod(0o777)
    assert main(["check", "--config", str(path)]) == 78
    said = capsys.readouterr().err
    assert "1 mistake\n" in said
    assert f'line 4: plugins.path[0]: anybody may write in "{plugins}"' in said
    wrong = f'"plugins", "{tmp_path}/nowhere", "{plugins}/never_run.py"'
    path.write_text(path.read_text().replace(f'"{plugins}"', wrong))
    assert main(["check", "--config", str(path)]) == 78
    said = capsys.readouterr().err
    assert 'plugins.path[0]: "plugins" is not a whole path' in said
    assert f'plugins.path[1]: "{tmp_path}/nowhere" cannot be looked into (No such file' in said
    assert f'plugins.path[2]: "{plugins}/never_run.py" is no folder' in said
    assert "never_run" not in sys.modules


def test_a_tool_that_touches_the_pbx_is_told_what_of_it() -> None:
    config = Config(pbx=PbxConfig(url="ws://127.0.0.1:1/"))
    config.tool = [
        *(ToolConfig(name=name) for name in ("set_diversion", "click_to_call", "call_history")),
        ToolConfig(name="click_to_call", extensions=["10.."], numbers=["010.*"]),
        ToolConfig(name="set_diversion", extensions=["10.."]),
        ToolConfig(name="set_diversion", extensions=["10.."], numbers=["010.*"]),
    ]
    broken = [(rule.path, rule.problem) for rule in broken_plugins(config)]
    assert broken == [
        (("tool", 0, "extensions"), "it may touch none"),
        (("tool", 0, "numbers"), "it may divert to none"),
        (("tool", 1, "extensions"), "it may touch none"),
        (("tool", 1, "numbers"), "it may call none"),
        (("tool", 4, "numbers"), "it may divert to none"),
    ]


def test_what_no_table_would_bring_is_not_said_to_come_of_one(plugins: Path) -> None:
    (plugins / "half.py").write_text(
        "from daemon.pbx.contract import Diversions\n"
        "async def who(*, from_number: str, to_number: str, diversions: Diversions) -> None: ...\n"
    )
    config = Config(pbx=PbxConfig(url="ws://127.0.0.1:1/"))
    config.plugins.path = [str(plugins)]
    config.inbound.use = "half:who"
    [rule] = broken_plugins(config)
    assert rule.remedy == "configure what provides it, or ask for something else"


@pytest.mark.parametrize("url", ["", "ws://127.0.0.1:1/"])
async def test_what_is_checked_for_is_what_the_service_supplies(tmp_path: Path, url: str) -> None:
    state = ServiceConfig(state_dir=str(tmp_path))
    config = Config(service=state, pbx=configured(url) if url else PbxConfig())
    service = Service(config, Secrets(ENVIRONMENT))
    assert service.rooms.supplies.keys() == supplied_types(config)
    assert service.rooms.chatbot_supplies.keys() == supplied_types(config) | OF_SERVICES
    await service.rooms.database.close()


def test_other_verbs_import_no_plugin(configure: Configure, plugins: Path) -> None:
    (plugins / "never_run.py").write_text("raise SystemExit(5)\n")
    path = configure('[[tool]]\nname = "a"\nuse = "never_run:a"\n')
    assert main(["user", "list", "--config", str(path)]) == 0
    assert "never_run" not in sys.modules
    assert main(["check", "--config", str(path)]) == 78
