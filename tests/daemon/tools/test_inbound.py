"""Who is calling: answered in time, and with the default where nothing is known."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from daemon.config import InboundConfig
from daemon.plugins import PluginError
from daemon.stores.contacts import ContactRow, save_contacts
from daemon.stores.database import Database
from daemon.tools.contract import InboundAnswer
from daemon.tools.inbound import Inbound, define_lookup
from daemon.tools.tool import Outcome
from tests.daemon.tools.conftest import Build, lookup
from tests.services.postgres import PostgresServer

DEFAULTS: dict[str, Any] = {"dynamic_variables": {"name": "고객", "shop": "한빛"}, "metadata": {"queue": "general"}}
DEFAULT = InboundAnswer(dynamic_variables={"name": "고객", "shop": "한빛"}, metadata={"queue": "general"})


async def test_a_contact_is_known_however_its_number_is_written(build: Build, database: Database) -> None:
    contact = ContactRow(
        number="01012345678", name="홍길동", variables={"grade": "우수"}, metadata={"crm": "C-1", "queue": "vip"}
    )
    async with database.transaction() as connection:
        await save_contacts(connection, [contact])
    inbound = build(inbound=InboundConfig(**DEFAULTS)).inbound
    for number in ("01012345678", "+821012345678", "010-1234-5678"):
        assert await inbound.answer(number, "07000001004") == InboundAnswer(
            dynamic_variables={"name": "홍길동", "shop": "한빛", "grade": "우수"},
            metadata={"queue": "vip", "crm": "C-1"},
        )
    for stranger in ("01087654321", "anonymous", ""):
        assert await inbound.answer(stranger, "07000001004") == DEFAULT
    assert inbound.counts[Outcome.ANSWERED] == 6


async def test_a_lookup_of_ones_own_gets_both_numbers_and_its_options(build: Build) -> None:
    inbound = build(inbound=lookup("knows", options={"shop": "부산"}, **DEFAULTS)).inbound
    assert await inbound.answer("+82 10", "1004") == InboundAnswer(
        dynamic_variables={"name": "고객", "shop": "부산", "from": "+82 10", "to": "1004"},
        metadata={"queue": "general", "deep": {"er": [1]}},
    )


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("knows_nothing_right", Outcome.FAILED),
        ("breaks", Outcome.FAILED),
        ("waits_for_ever", Outcome.LATE),
    ],
)
async def test_whatever_a_lookup_does_the_default_is_the_answer(build: Build, name: str, outcome: Outcome) -> None:
    inbound = build(inbound=lookup(name, deadline=0.05, **DEFAULTS)).inbound
    with capture_logs() as logged:
        assert await inbound.answer("01012345678", "01012345678") == DEFAULT
    assert inbound.counts[outcome] == 1
    assert len(logged) == 1
    assert "01012345678" not in str(logged)


async def test_a_database_that_is_away_costs_the_name_and_no_more() -> None:
    away = Database.of("postgresql://nobody@127.0.0.1:1/none")
    inbound = Inbound(InboundConfig(**DEFAULTS), {Database: away})
    assert await inbound.answer("01012345678", "") == DEFAULT
    assert inbound.counts[Outcome.FAILED] == 1
    await away.close()


async def test_a_database_that_hangs_costs_no_more_than_the_deadline(postgres_server: PostgresServer) -> None:
    database = Database.of(postgres_server.url())
    await database.upgrade()
    contact = ContactRow(number="01012345678", name="홍길동")
    async with database.transaction() as connection:
        await save_contacts(connection, [contact])
    inbound = Inbound(InboundConfig(deadline=0.3, **DEFAULTS), {Database: database})
    postgres_server.pause()
    assert await asyncio.gather(*(inbound.answer("01012345678", "") for _ in range(20))) == [DEFAULT] * 20
    postgres_server.resume()
    async with asyncio.timeout(30):
        while (await inbound.answer("01012345678", "")).dynamic_variables["name"] != "홍길동":
            pass
    assert inbound.counts[Outcome.LATE] >= 20
    await inbound.close()
    await database.close()


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (InboundConfig(use="crm"), 'no built-in lookup "crm"'),
        (lookup("note"), "takes text, which nobody gives"),
        (lookup("knows", options={"shop": 3}), "the options of .* do not fit"),
        (InboundConfig(options={"a": 1}), "takes no options"),
    ],
)
def test_a_lookup_that_cannot_be_used_is_refused(config: InboundConfig, problem: str) -> None:
    with pytest.raises(PluginError, match=problem):
        define_lookup(config, {Database})
