"""Which click-to-calls may be placed, whose phone rings first included, and what of a request is the tenant's own."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from daemon.config import ClickToCallConfig
from daemon.demo.pbx_gateway import SimulatedGateway
from daemon.pbx.contract import PbxUnavailable, TooManyCalls, UsageError
from daemon.stores.database import Database
from tests.daemon.pbx.clicking import CALL, FULL, JIN, originates, over, steps
from tests.daemon.pbx.conftest import Room, configured, running

RULES = ClickToCallConfig(allowed=[r"0[1-9]\d*"], refused=[r"060.*"])


def with_tenant(simulated: SimulatedGateway, rules: ClickToCallConfig | None = None, **changes: Any) -> Any:
    config = configured(simulated.url, click_to_call=rules or ClickToCallConfig())
    return msgspec.structs.replace(config, tenant=[msgspec.structs.replace(config.tenant[0], **changes)])


@pytest.mark.parametrize("caller", ["1010/n", "1010@other", "1010&PJSIP", "+1010", "1" * 41, ""])
async def test_a_caller_is_an_extension_and_no_more(
    simulated: SimulatedGateway, sqlite_database: Database, caller: str
) -> None:
    async with running(with_tenant(simulated, extensions=[]), sqlite_database) as room:
        await room.ready()
        with pytest.raises(UsageError, match="the caller is an extension"):
            await room.pbx.click_to_call.place(msgspec.structs.replace(CALL, caller=caller), actor=JIN, key="k")
        assert originates(simulated) == 0


@pytest.mark.parametrize("caller", ["0609001234", "00331"])
async def test_a_caller_that_may_be_any_number_is_held_against_the_rules(
    simulated: SimulatedGateway, sqlite_database: Database, caller: str
) -> None:
    request = msgspec.structs.replace(CALL, caller=caller)
    async with running(with_tenant(simulated, RULES, extensions=[]), sqlite_database) as room:
        await room.ready()
        with pytest.raises(UsageError, match=r"list the extensions of the tenant main as `extensions`"):
            await room.pbx.click_to_call.place(request, actor=JIN, key="k")
        assert originates(simulated) == 0


async def test_a_configured_extension_calls_whatever_the_rules_are(
    simulated: SimulatedGateway, sqlite_database: Database
) -> None:
    rules = msgspec.structs.replace(RULES, refused=["1010"])
    async with running(with_tenant(simulated, rules), sqlite_database) as room:
        await room.ready()
        assert steps(await over(room, await room.pbx.click_to_call.place(CALL, actor=JIN, key="k"))) == FULL


@pytest.mark.parametrize(
    "name", ["GLOBAL(x)", "CHANNEL(language)", "CHANNEL(accountcode)", "SHELL", "a b", "1a", "", "__PARLEY_C2C"]
)
async def test_a_request_sets_plain_variables_alone(room: Room, simulated: SimulatedGateway, name: str) -> None:
    request = msgspec.structs.replace(CALL, variables={name: "x"})
    if name == "SHELL":
        await room.pbx.click_to_call.place(request, actor=JIN, key="k")
        return
    with pytest.raises(UsageError, match=r"no plain name|Parley's own"):
        await room.pbx.click_to_call.place(request, actor=JIN, key="k")
    assert originates(simulated) == 0


async def test_the_automatic_answer_is_the_requests_to_decide(room: Room, simulated: SimulatedGateway) -> None:
    request = msgspec.structs.replace(CALL, variables={"EXEC_AA": "no"})
    await room.pbx.click_to_call.place(request, actor=JIN, key="k")
    sent = next(request for request in simulated.received if request.get("Action") == "Originate")
    assert sent.all("Variable")[:3] == ["EXEC_AA=no", "CHANNEL(language)=ko", "CHANNEL(accountcode)=07000005605"]


async def test_without_a_context_no_call_is_placed_over_the_websocket(
    simulated: SimulatedGateway, sqlite_database: Database
) -> None:
    async with running(with_tenant(simulated, context=""), sqlite_database) as room:
        await room.ready()
        with pytest.raises(UsageError, match=r"no way .* the tenant main: give it a `context`"):
            await room.pbx.click_to_call.place(CALL, actor=JIN, key="k")
        assert originates(simulated) == 0


async def test_what_placed_nothing_counts_towards_no_limit(
    simulated: SimulatedGateway, sqlite_database: Database
) -> None:
    limits = ClickToCallConfig(per_user_per_hour=1, per_hour=1)
    async with running(configured(simulated.url, click_to_call=limits), sqlite_database) as room:
        await room.ready()
        await simulated.down(1)
        await simulated.down(2)
        await room.until(lambda: [room.state(name) for name in ("pbx1", "pbx2")] == ["away", "away"])
        for key in ("a", "b", "a"):
            with pytest.raises(PbxUnavailable, match="no server of the tenant main is up") as refused:
                await room.pbx.click_to_call.place(CALL, actor=JIN, key=key)
            assert not refused.value.sent
        assert originates(simulated) == 0
        simulated.up(1)
        simulated.up(2)
        await room.ready()
        await room.pbx.click_to_call.place(CALL, actor=JIN, key="a")
        with pytest.raises(TooManyCalls):
            await room.pbx.click_to_call.place(CALL, actor=JIN, key="b")
