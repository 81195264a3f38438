"""The verbs that ask a running Parley about its PBX, as somebody at a shell beside it runs them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daemon.actor import Actor
from daemon.demo.pbx_gateway import SimulatedGateway
from daemon.pbx.diversion_service import ANY_VERSION
from protocols.dcmiws.diversions import DiversionKind
from tests.daemon.pbx.conftest import ENVIRONMENT, configured
from tests.daemon.running_service import RunningService
from tests.daemon.shell import Shell


@pytest.fixture
async def simulated() -> AsyncIterator[SimulatedGateway]:
    made = SimulatedGateway({1: "pbx1.example.com", 2: "pbx2.example.com"}, speed=50.0)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def running(simulated: SimulatedGateway, tmp_path: Path) -> AsyncIterator[RunningService]:
    pbx = configured(simulated.url)
    async with RunningService(tmp_path / "state", None, pbx=pbx, secrets=ENVIRONMENT) as service:
        yield service


@pytest.fixture
def shell(running: RunningService, tmp_path: Path) -> Shell:
    (tmp_path / "parley.toml").write_text(f'[service]\nstate_dir = "{tmp_path}/state"\n')
    return Shell(tmp_path / "parley.toml")


async def test_an_extension_is_forwarded_and_let_be_again(shell: Shell, simulated: SimulatedGateway) -> None:
    said = await shell.parley("diversion", "get", "1010")
    assert said.code == 0, said.err
    assert "extension 1010 of main, version " in said.out
    assert [line.split()[0] for line in said.out.splitlines()[1:]] == [kind.value for kind in DiversionKind]
    said = await shell.parley("diversion", "set", "1010", "no-answer", "01012345678")
    assert said.code == 0, said.err
    assert "NO_ANSWER" in said.out
    assert "01012345678" in said.out
    for stored in simulated.database.values():
        assert "sub-custom-numbers,01012345678,1" in stored.values()
    read = await shell.answer("diversion", "get", "1010", "NO_ANSWER", "--tenant", "main")
    assert (read["in_effect"], read["destination"]) == (True, "01012345678")
    kept = await shell.answer("diversion", "set", "1010", "NO_ANSWER", "--off")
    assert (kept["enabled"], kept["in_effect"], kept["destination"]) == (False, False, "01012345678")
    assert (await shell.parley("diversion", "clear", "1010")).code == 0
    for stored in simulated.database.values():
        assert "sub-custom-numbers,01012345678,1" not in stored.values()


async def test_what_was_changed_meanwhile_is_not_overwritten(shell: Shell, running: RunningService) -> None:
    version = (await shell.answer("diversion", "get", "1010", "BUSY"))["version"]
    assert running.rooms.pbx is not None
    await running.rooms.pbx.diversions.change(
        "1010", DiversionKind.BUSY, actor=Actor("somebody", "session", ""), version=ANY_VERSION, destination="1011"
    )
    said = await shell.parley("diversion", "set", "1010", "BUSY", "01012345678", "--if-match", version)
    assert said.code == 1
    assert said.err.startswith("parley: Changed meanwhile: ")
    assert (await shell.answer("diversion", "get", "1010", "BUSY"))["destination"] == "1011"


async def test_servers_that_do_not_agree_are_shown(shell: Shell, simulated: SimulatedGateway) -> None:
    assert (await shell.parley("diversion", "set", "1010", "IMMEDIATE", "01012345678")).code == 0
    stored = simulated.database[2]
    for key in [key for key, value in stored.items() if "01012345678" in value]:
        del stored[key]
    said = await shell.parley("diversion", "get", "1010", "IMMEDIATE")
    assert "the servers do not agree:" in said.out
    assert "pbx1: enabled, 01012345678" in said.out
    assert "pbx2: enabled, no destination" in said.out
    only = await shell.answer("diversion", "get", "1010", "IMMEDIATE", "--server", "pbx2")
    assert (only["agreed"], only["in_effect"]) == (True, False)


async def test_a_call_is_placed_and_told_to_its_end(shell: Shell) -> None:
    assert (await shell.parley("diversion", "set", "1010", "BUSY", "01012345678")).code == 0
    said = await shell.parley("click-to-call", "1010", "07000000801", "--variable", "ticket=17")
    assert said.code == 0, said.out + said.err
    lines = said.out.splitlines()
    assert lines[0] == "1010 forwards to 01012345678 on busy"
    told = [line.partition("  ")[2] for line in lines[1:]]
    assert told[0] == "asked for"
    assert "the caller has answered" in told
    assert "the other party has answered" in told
    assert told[-1].startswith("ended: ")


async def test_the_same_key_places_no_second_call(shell: Shell) -> None:
    words = ("click-to-call", "1010", "07000000801", "--key", "ticket-17", "--no-follow")
    first, second = await shell.answer(*words), await shell.answer(*words)
    assert first["click_to_call_id"] == second["click_to_call_id"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["diversion", "set", "1010", "BUSY", "010,1"], "parley: Not possible: "),
        (["diversion", "get", "9999"], "parley: Not found on the PBX: "),
        (["diversion", "get", "1010", "--server", "none"], "parley: "),
        (["click-to-call", "1010", "1 2"], "parley: Not possible: "),
    ],
)
async def test_what_cannot_be_done_is_said(words: list[str], says: str, shell: Shell) -> None:
    said = await shell.parley(*words)
    assert said.code == 1
    assert said.err.startswith(says)
    assert "Traceback" not in said.err


async def test_without_a_service_it_is_said_where_it_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "parley.toml").write_text(f'[service]\nstate_dir = "{tmp_path}/state"\n')
    said = await Shell(tmp_path / "parley.toml").parley("diversion", "get", "1010")
    assert said.code == 1
    assert f"{tmp_path}/state/parley.sock" in said.err
    said = await Shell(tmp_path / "parley.toml").parley("diversion", "get", "1010", "--socket", "/nowhere/s")
    assert "/nowhere/s" in said.err


@pytest.mark.parametrize(
    "words",
    [["diversion"], ["diversion", "set", "1010", "SOMETIMES", "1"], ["click-to-call", "1", "2", "--variable", "x"]],
)
async def test_wrong_words_exit_2(words: list[str], tmp_path: Path) -> None:
    assert (await Shell(tmp_path / "none.toml").parley(*words)).code == 2
