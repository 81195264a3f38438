"""``parley app try``, as somebody who writes an app uses it: in the folder of its file."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from daemon.__main__ import main
from tests.daemon.shell import Said, typed_into
from tests.daemon.test_plugin_rules import README, blocks_of

APP = '''\
from typing import Any

from daemon.callapps.contract import AppCall
from daemon.directory.contract import Directory


async def find(call: AppCall, *, directory: Directory, options: dict[str, Any]) -> None:
    """Send the caller to whom they ask for."""
    await call.answer()
    heard = await call.listen(f"{options['greeting']} {call.variables.get('name', '')}")
    [match] = await directory.search(heard.text, limit=1)
    call.outcome = match.entry.name
    await call.transfer(match.entry.number)
'''


async def tried(folder: Path, *words: str, typed: str = "") -> Said:
    """``parley app try`` in ``folder``, with somebody who types."""
    return await typed_into(folder, "app", "try", *words, typed=typed)


async def test_what_is_typed_is_said_and_the_session_is_a_dialogue(tmp_path: Path) -> None:
    session = (
        "# (answers)\n"
        "app: 안녕하세요. 하시는 말씀을 따라 합니다.\n"
        "caller: 여보세요\n"
        "app: 여보세요\n"
        "caller: 12#\n"
        "app: 12#\n"
        "caller: (dances)\n"
        "{complaint}"
        "caller: \n"
        "app: 감사합니다. 안녕히 계세요.\n"
        "app: (hangs up)\n"
    )
    said = await tried(tmp_path, "echo", typed="여보세요\n12#\n(dances)\n\n")
    complaint = "# a caller cannot do (dances): there are words, keys, (silence), (silence 0.5), (interrupting) …, "
    expected = session.format(complaint=f"{complaint}(hangs up), (1001 answers)\n") + "outcome: repeated\n"
    assert said.out.partition("hangs up.\n")[2] == expected
    assert (said.code, said.err) == (0, "")
    (tmp_path / "session.txt").write_text(expected.replace("caller: (dances)\n", ""))
    played = await tried(tmp_path, "echo", "--script", "session.txt")
    assert played.code == 0, played.err
    assert played.out.endswith("session.txt: it went as it is written\n")


async def test_what_comes_of_ringing_a_person_is_typed_too(tmp_path: Path) -> None:
    (tmp_path / "desk.py").write_text(
        "from daemon.callapps.contract import AppCall\n\n\n"
        "async def desk(call: AppCall) -> None:\n"
        "    await call.put_through('1001', words='연결합니다.')\n"
        "    await call.put_through('1002')\n"
        "    await call.say('나중에 다시 걸어 주세요.')\n"
    )
    typed = "(1002 answers)\n(1001 is busy)\n\n"
    said = await tried(tmp_path, "desk:desk", typed=typed)
    session = said.out.partition("hangs up.\n")[2]
    assert (said.code, said.err) == (0, "")
    assert [line for line in session.splitlines() if not line.startswith("#")] == [
        "app: (rings 1001)",
        "app: 연결합니다.",
        "caller: (1002 answers)",
        "caller: (1001 is busy)",
        "app: (rings 1002)",
        "caller: ",
        "app: 나중에 다시 걸어 주세요.",
        "app: (hangs up)",
        "outcome: returned",
    ]
    assert "# 1002 is not rung but 1001\n" in session
    assert "(1001 answers), (1001 is busy), " in session
    (tmp_path / "session.txt").write_text(session.replace("caller: (1002 answers)\n", ""))
    played = await tried(tmp_path, "desk:desk", "--script", "session.txt")
    assert played.code == 0, played.err
    assert "# Say" not in played.out


async def test_an_app_that_forgets_to_answer_is_told(tmp_path: Path) -> None:
    (tmp_path / "deaf.py").write_text(
        "from daemon.callapps.contract import AppCall\n\n\n"
        "async def deaf(call: AppCall) -> None:\n"
        "    heard = await call.listen('무엇을 도와드릴까요?')\n"
        "    await call.say(heard.text)\n"
    )
    told = (
        "# The app did not answer the call: unless the dialplan does, it hears nothing of what is said on a switch.\n"
    )
    typed = await tried(tmp_path, "deaf:deaf", typed="여보세요\n")
    assert typed.out.endswith(f"outcome: returned\n{told}")
    (tmp_path / "script.txt").write_text("app: …\ncaller: 여보세요\napp: 여보세요\napp: (hangs up)\n")
    played = await tried(tmp_path, "deaf:deaf", "--script", "script.txt")
    assert (played.code, played.out.endswith(f"as it is written\n{told}")) == (0, True)
    (tmp_path / "script.txt").write_text("app: …\ncaller:\napp: (hangs up)\n")
    assert told not in (await tried(tmp_path, "deaf:deaf", "--script", "script.txt")).out


async def test_ctrl_d_hangs_up(tmp_path: Path) -> None:
    said = await tried(tmp_path, "echo")
    assert said.code == 0
    assert said.out.endswith("caller: (hangs up)\noutcome: hung_up\n")


def is_asleep(pid: int) -> bool:
    """Whether a process waits for something."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


async def test_ctrl_c_hangs_up_at_once(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", "app", "try", "echo"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=tmp_path,
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        await process.stdout.readuntil(b"caller: ")
        while not is_asleep(process.pid):  # noqa: ASYNC110 - until it waits for what is typed
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGINT)
        rest = await process.stdout.read()
        assert (await process.wait(), rest.decode()) == (0, "(hangs up)\noutcome: hung_up\n")


async def test_an_app_in_this_folder_with_what_the_configuration_gives_it(tmp_path: Path) -> None:
    (tmp_path / "finder.py").write_text(APP)
    (tmp_path / "entries.json").write_text('[{"name": "전산지원팀", "kind": "team", "number": "1001"}]')
    config = tmp_path / "parley.toml"
    config.write_text(
        f'[service]\nstate_dir = "{tmp_path}/state"\n[[callapps.app]]\nname = "find"\nuse = "finder:find"\n'
        'codes = ["find"]\noptions = { greeting = "누구를 찾으세요?" }\n'
    )
    loading = ["directory", "load", str(tmp_path / "entries.json"), "--config", str(config)]
    assert await asyncio.to_thread(main, loading) == 0
    (tmp_path / "dialogue.txt").write_text(
        "call: variable.name=손님\napp: 누구를 찾으세요? 단골손님\ncaller: 전산지원팀\napp: (transfers to 1002)\n"
    )
    words = ("--config", str(config), "--script", "dialogue.txt", "--variable", "name=단골손님")
    for name in ("find", "finder:find"):
        said = await tried(tmp_path, name, *words)
        assert said.code == 1
        assert said.out == (
            "# (answers)\napp: 누구를 찾으세요? 단골손님\ncaller: 전산지원팀\napp: (transfers to 1001)\n"
        )
        assert said.err == (
            "dialogue.txt:4: expected: (transfers to 1002)\ndialogue.txt:4: got:      (transfers to 1001)\n"
        )


async def test_a_crash_is_shown_where_it_happened(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(
        "from daemon.callapps.contract import AppCall\n\n\n"
        "async def broken(call: AppCall) -> None:\n    await call.say('네')\n    raise LookupError('1001')\n"
    )
    said = await tried(tmp_path, "broken:broken")
    assert said.code == 1
    assert said.out.endswith("app: 네\napp: (fails LookupError)\napp: (hangs up)\noutcome: failed\n")
    assert said.err.startswith('Traceback (most recent call last):\n  File "')
    assert 'broken.py", line 6, in broken\n' in said.err.splitlines(keepends=True)[1]
    assert said.err.endswith("LookupError: 1001\n")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["nowhere:app"], "there is no module nowhere; mend its name"),
        (["echoes"], 'there is no built-in app "echoes"'),
        (["echo", "--script", "none.txt"], "none.txt cannot be read"),
        (["echo", "--script", "bad.txt"], "bad.txt: line 1: nobody is called agent"),
        (["echo", "--variable", "name"], "--variable name is not written as NAME=VALUE"),
        (["wanting:app"], "needs switch: CallControl, which is not there"),
    ],
)
async def test_what_cannot_be_tried_is_said(tmp_path: Path, words: list[str], problem: str) -> None:
    (tmp_path / "bad.txt").write_text("agent: 안녕하세요\n")
    (tmp_path / "wanting.py").write_text(
        "from daemon.callapps.contract import AppCall\nfrom daemon.calls.control import CallControl\n\n\n"
        "async def app(call: AppCall, *, switch: CallControl) -> None: ...\n"
    )
    said = await tried(tmp_path, *words)
    assert said.code == 1
    assert problem in said.err
    assert "Traceback" not in said.err


async def test_the_test_and_the_dialogue_of_the_readme_hold(tmp_path: Path) -> None:
    blocks = blocks_of(README.read_text())
    (app,) = [block for block in blocks if "async def repeat(" in block]
    (test,) = [block for block in blocks if "async def test_it_repeats(" in block]
    (dialogue,) = [block for block in blocks if block.lstrip().startswith("app: ")]
    (tmp_path / "repeat.py").write_text(app)
    (tmp_path / "test_repeat.py").write_text(test)
    (tmp_path / "repeat.txt").write_text(dialogue)
    said = await tried(tmp_path, "repeat:repeat", "--script", "repeat.txt")
    assert said.code == 0, said.err
    pytest_process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-o", "asyncio_mode=auto", "--rootdir", str(tmp_path)),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(pytest_process.communicate(), 60)
    assert "1 passed" in out.decode()
