"""``parley mail`` as somebody at a shell beside a running Parley uses it, and mail within all of Parley."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from daemon.config import MailConfig
from daemon.health import Condition
from daemon.mail.contract import Letter, Mail
from daemon.mail.sealing import new_key
from tests.daemon.mail.post_office import PostOffice
from tests.daemon.running_service import RunningService
from tests.daemon.shell import Shell


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    office = PostOffice()
    await office.start()
    yield office
    await office.stop()


@pytest.fixture
async def running(office: PostOffice, tmp_path: Path) -> AsyncIterator[RunningService]:
    async with RunningService(tmp_path / "state", None, secrets={"PARLEY_MAIL_PASSWORD_KEY": new_key()}) as service:
        yield service


@pytest.fixture
def shell(running: RunningService, tmp_path: Path) -> Shell:
    (tmp_path / "parley.toml").write_text(f'[service]\nstate_dir = "{tmp_path}/state"\n')
    return Shell(tmp_path / "parley.toml")


async def test_mail_is_set_shown_tried_and_taken_away(
    shell: Shell, running: RunningService, office: PostOffice
) -> None:
    assert (await shell.parley("mail", "show")).out == "nobody has said how mail is sent\n"
    said = await shell.parley("mail", "set", "--host", "127.0.0.1")
    assert (said.code, "give --sender" in said.err) == (1, True)
    there = ("--host", "127.0.0.1", "--sender", "parley@example.com", "--tls", "none")
    said = await shell.parley("mail", "set", *there)
    assert (said.code, said.out) == (
        0,
        "from parley@example.com by 127.0.0.1:25, encryption: none\npassword: none\n"
        "recipient of what has no other: nobody\nsaid by: an admin\n",
    )
    said = await shell.parley("mail", "set", "--port", str(office.port), "--recipient", "lead@example.com")
    assert f"by 127.0.0.1:{office.port}, encryption: none" in said.out
    said = await shell.parley("mail", "test")
    assert said.out == "the mail server has taken a letter to lead@example.com\n"
    office.says = {"mina@example.com": ["550 No such user"]}
    said = await shell.parley("mail", "test", "mina@example.com")
    assert (said.code, "The mail server refused: 550 No such user." in said.err) == (1, True)
    assert (await shell.parley("mail", "remove")).out == "nobody has said how mail is sent\n"
    assert [taken.recipients for taken in office.taken] == [["lead@example.com"]]


async def test_a_key_is_printed(shell: Shell) -> None:
    one, other = [(await shell.parley("mail", "key")).out.strip() for _ in range(2)]
    assert len(base64.b64decode(one, validate=True)) == 32
    assert one != other


async def test_plugins_are_given_mail_that_goes_when_it_can(
    running: RunningService, shell: Shell, office: PostOffice
) -> None:
    service = running.service
    mail = cast("Mail", service.rooms.supplies[Mail])
    await mail.send(Letter(to=("mina@example.com",), subject="가나다", text="라마바\n"), key="k")
    there = ("--sender", "parley@example.com", "--tls", "none", "--port", str(office.port))
    assert (await shell.parley("mail", "set", "--host", "127.0.0.1", *there)).code == 0
    await mail.send(Letter(to=("mina@example.com",), subject="가나다", text="라마바\n"), key="other")
    [taken] = await office.until(1)
    assert taken.message["Subject"] == "가나다"
    assert service.rooms.health.report().parts["mail"].condition is Condition.OK


async def test_the_configuration_is_enough(office: PostOffice, tmp_path: Path) -> None:
    config = MailConfig(host="127.0.0.1", port=office.port, tls="none", sender="parley@example.com")
    async with RunningService(tmp_path / "state", None, mail=config) as running:
        mail = cast("Mail", running.rooms.supplies[Mail])
        await mail.send(Letter(to=("mina@example.com",), subject="s", text="t"), key="k")
        await office.until(1)
