"""``parley schedule list``, what ``parley check`` says of schedules, and the schedules of the README."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest

from daemon.__main__ import main
from daemon.config_file import read
from daemon.mail.contract import Mail
from daemon.schedules.contract import Firing, Reminders
from daemon.schedules.definition import FIRING, define
from daemon.stores.calls import save_calls
from daemon.stores.database import Database
from daemon.stores.delivery_inserts import NewDelivery, add_delivery
from daemon.stores.schedule_firings import FiringRow, claim_firing
from tests.daemon.schedules.telling import RecordingMail, firing_at
from tests.daemon.schedules.timekeeping import seoul
from tests.daemon.stores.rows import call_row
from tests.daemon.test_plugin_rules import README, blocks_of

NOTHING = "tests.daemon.schedules.example_schedules:nothing"
NEXT = r"\d{4}-\d\d-01 09:00"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "parley.toml"
    path.write_text(f'[service]\nstate_dir = "{tmp_path}/state"\n')
    return path


def add(config: Path, *lines: str) -> None:
    with config.open("a") as file:
        file.write("\n".join(["[[schedule]]", *lines, ""]))


def blocks_with(words: str) -> str:
    [block] = [block for block in blocks_of(README.read_text()) if words in block]
    return block


def test_check_shows_when_schedules_fire_next(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(config, 'name = "a"', 'cron = "0 9 1 * *"', f'use = "{NOTHING}"')
    add(config, 'name = "b"', 'cron = "0 9 1 * *"', f'use = "{NOTHING}"', "enabled = false")
    add(config, 'name = "c"', 'cron = "not even this"', 'time_zone = "Nowhere"')
    assert main(["check", "--config", str(config)]) == 0
    said = capsys.readouterr().out
    assert re.search(rf"schedule a fires next {NEXT}, {NEXT}, {NEXT} \(Asia/Seoul\)\n", said), said
    assert "schedule b" not in said


def test_check_notes_letters_without_a_mail_server(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An admin may name one at any time, so that it is no mistake."""
    add(config, 'name = "lists"', 'cron = "0 14 3 * *"', 'use = "mail-tgday"')
    add(
        config,
        'name = "weekly"',
        'cron = "0 9 * * MON"',
        'use = "missed-calls"',
        'options = { to = ["a@example.com"] }',
    )
    add(config, 'name = "monthly"', 'cron = "0 9 1 * *"', f'use = "{NOTHING}"')
    add(config, 'name = "never"', 'cron = "0 9 1 * *"', 'use = "mail-tgday"', "enabled = false")
    assert main(["check", "--config", str(config)]) == 0
    said = capsys.readouterr().out
    assert "note: [mail] names no mail server; unless an admin has " in said
    assert " waits until one is named: schedule lists, schedule weekly\n" in said
    with config.open("a") as file:
        file.write('[mail]\nhost = "mail.example.com"\nsender = "parley@example.com"\n')
    assert main(["check", "--config", str(config)]) == 0
    assert "mail server" not in capsys.readouterr().out


def test_check_says_what_is_wrong_with_schedules(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(config, 'name = "a"', 'cron = "0 25 * * *"', f'use = "{NOTHING}"')
    add(config, 'name = "a"', 'time_zone = "Asia/Soul"', 'cron = "0 9 * *"', f'use = "{NOTHING}"')
    add(config, 'name = "c"', 'cron = "0 0 LW * */6"', f'use = "{NOTHING}"', "options = { a = 1 }")
    add(config, 'name = "d"', 'use = "ask-everybody"')
    add(config, 'name = "e"', 'use = "ask-tgday"', 'catch_up = "none"')
    assert main(["check", "--config", str(config)]) == 78
    said = capsys.readouterr().err
    for line, key, problem in (
        (5, "schedule[0].cron", '"0 25 * * *" is no cron expression: bad hour'),
        (8, "schedule[1].name", '"a" is taken'),
        (9, "schedule[1].time_zone", 'this machine knows no time zone "Asia/Soul"'),
        (10, "schedule[1].cron", '"0 9 * *" is no cron expression: it has 4 of the five fields'),
        (14, "schedule[2].cron", '"0 0 LW * */6" never comes'),
        (16, "schedule[2].options", "takes no options"),
        (19, "schedule[3].use", 'there is no built-in schedule "ask-everybody"'),
        (22, "schedule[4].use", "reminders: Reminders, which is not there; set webhook_url in [chatbot.webex]"),
        (23, "schedule[4].catch_up", "none"),
    ):
        assert re.search(rf"line {line}: {re.escape(key)}: .*{re.escape(problem)}", said), (key, said)


def test_list_shows_the_next_firings_and_what_became_of_the_last(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schedule", "list", "--config", str(config)]) == 0
    assert capsys.readouterr().out == "no [[schedule]] has a use, so nothing fires\n"
    add(config, 'name = "monthly"', 'cron = "0 9 1 * *"', f'use = "{NOTHING}"')
    add(config, 'name = "never"', 'cron = "0 9 1 * *"', f'use = "{NOTHING}"', "enabled = false")
    add(config, 'name = "kept"', 'cron = "0 9 1 * *"', f'use = "{NOTHING}"')
    assert main(["db", "upgrade", "--config", str(config)]) == 0
    asyncio.run(fire(tmp_path))
    capsys.readouterr()
    assert main(["schedule", "list", "--config", str(config)]) == 0
    head = rf"{NOTHING}, 0 9 1 \* \*\n"
    upcoming = rf"  next {NEXT}, {NEXT}, {NEXT} \(Asia/Seoul\)\n"
    expected = (
        rf"monthly: {head}{upcoming}  last 2026-11-01 09:00, pending\n"
        rf"never: {head}  off\n"
        rf"kept: {head}{upcoming}  last 2026-10-01 09:00\n"
    )
    said = capsys.readouterr().out
    assert re.fullmatch(expected, said), said


async def fire(folder: Path) -> None:
    """Two firings, of which the delivery of one has been deleted since."""
    database = Database.of(f"sqlite:///{folder}/state/parley.db")
    async with database.transaction() as connection:
        for schedule, month in (("monthly", 10), ("monthly", 11), ("kept", 10)):
            due_at = seoul(2026, month, 1, 9)
            assert await claim_firing(connection, FiringRow(schedule=schedule, due_at=due_at, fired_at=due_at))
            assert not await claim_firing(connection, FiringRow(schedule=schedule, due_at=due_at, fired_at=0.0))
        key = Firing(schedule="monthly", due_at=seoul(2026, 11, 1, 9), time_zone="Asia/Seoul").key
        row = NewDelivery(
            delivery_id="d",
            source="parley:schedules",
            event="monthly",
            other_id=key,
            received_at=0.0,
            due_at=0.0,
            attempts_allowed=1,
            body=b"{}",
        )
        await add_delivery(connection, row)
    await database.close()


async def test_the_schedule_of_the_readme_does_what_it_says(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "daily.py").write_text(blocks_with("async def count_calls"))
    monkeypatch.syspath_prepend(tmp_path)
    config, mistakes = read(blocks_with("daily:count_calls"), None)
    assert mistakes == []
    mail = RecordingMail()
    call = define(config.schedule[0]).plugin.bind({Mail: mail, Database: database}, taken={FIRING})
    async with database.transaction() as connection:
        today = seoul(2026, 11, 30, 10)
        await save_calls(connection, [call_row("a", created_at=today), call_row("b", created_at=today - 86_400)])
    await call(firing=firing_at(2026, 11, 30, 18))
    del sys.modules["daily"]
    [(key, letter)] = mail.letters.items()
    assert key == "example:2026-11-30T09:00:00Z"
    assert (letter.subject, letter.text) == ("1 calls", "Until 2026-11-30 18:00 there were 1 calls.")


def test_the_reminders_of_the_readme_can_be_used() -> None:
    config, mistakes = read(blocks_with('use = "mail-tgday"'), None)
    assert mistakes == []
    assert len(config.schedule) == 5
    for schedule in config.schedule:
        define(schedule).check({Mail, Database, Reminders})
