"""What must hold between the keys of ``[inbox]``, beside what the room itself makes of them."""

from __future__ import annotations

import msgspec
import pytest

from daemon.config import DestinationConfig, HandlerConfig, InboxConfig, SourceConfig
from daemon.inbox.contract import OWN
from daemon.inbox.destinations import source_of
from daemon.inbox.own_events import EVENTS
from daemon.inbox.room import InboxRoom
from daemon.inbox_rules import inbox_rules
from daemon.secrets import Secrets
from daemon.stores.database import Database
from daemon.toml_lines import KeyPath
from daemon.verifiers import identify_of
from protocols.errors import LocalError
from protocols.webhooks.delivery import Identified, body_hash


def inbox(*handlers: HandlerConfig, events: list[str] | None = None) -> InboxConfig:
    return InboxConfig(
        source=[SourceConfig(name="agent", kind="voxai", check="address", addresses=["192.0.2.1"])],
        handler=list(handlers),
        destination=[DestinationConfig(name="crm", url="https://example.com/", signed=False, events=events or [])],
    )


def broken(config: InboxConfig) -> list[KeyPath]:
    return [rule.path for rule in inbox_rules(config, None)]


def test_the_secret_of_a_bots_source_is_made_of_its_token() -> None:
    config = InboxConfig(source=[SourceConfig(name="webex", kind="webex"), SourceConfig(name="hub", kind="github")])
    bot, hub = inbox_rules(config, Secrets({}))
    assert bot.problem == "the secret source-webex-secret is missing"
    assert bot.remedy.startswith("where it is a bot's give the secret webex-bot-token")
    assert "webex" not in hub.remedy
    assert [rule.path for rule in inbox_rules(config, Secrets({"PARLEY_WEBEX_BOT_TOKEN": "a-token"}))] == [hub.path]


def test_what_would_do_nothing_is_refused() -> None:
    """A key that is there and changes nothing would be taken for one that does."""
    said = {"header": "X-Own", "algorithm": "sha384", "prefix": "v9=", "tolerance": 5.0}
    for kind, check, counting in (
        ("github", "signature", set()),
        ("stripe", "signature", {"tolerance"}),
        ("webex", "signature", {"algorithm"}),
        ("standard", "signature", {"tolerance"}),
        ("generic", "bearer", set()),
        ("voxai", "url-token", set()),
        ("generic", "signature", {"header", "algorithm", "prefix"}),
    ):
        config = {"name": "shop", "kind": kind, "check": check, "event": "json:event", **said}
        source = msgspec.convert(config, SourceConfig)
        assert [path[-1] for path in broken(InboxConfig(source=[source]))] == [
            name for name in said if name not in counting
        ]
    plain = SourceConfig(name="shop", kind="github", algorithm="sha256")
    timed = SourceConfig(
        name="timed", kind="generic", timestamp_header="X-Time", signed="{timestamp}.{body}", tolerance=5.0
    )
    assert broken(InboxConfig(source=[plain, timed])) == []
    wrong = SourceConfig(name="shop", kind="generic", event="json:kind", other_id="body")
    assert broken(InboxConfig(source=[wrong])) == [("inbox", "source", 0, "other_id")]
    source = SourceConfig(name="agent", kind="voxai", header="X-Own", event="json:event", key="json:order")
    [rule] = inbox_rules(InboxConfig(source=[source]), None)
    assert (rule.path[-1], rule.remedy) == ("key", "leave it out")


def test_a_source_of_a_known_kind_may_have_places_of_its_own() -> None:
    body = b'{"type": "order.paid", "data": {"order": "A-7"}}'
    headers = {"webhook-id": "m-1", "x-kind": "paid"}
    plain = identify_of(SourceConfig(kind="standard"))(headers, body)
    assert plain == Identified("order.paid", "m-1", None)
    by_order = identify_of(SourceConfig(kind="standard", key="json:data.order"))(headers, body)
    assert by_order == Identified("order.paid", "m-1", "A-7")
    all_own = SourceConfig(kind="standard", event="header:X-Kind", other_id="body-hash", key="json:none")
    assert identify_of(all_own)(headers, body) == Identified("paid", body_hash(body), None)


async def test_names_of_parleys_own_handlers_are_taken(database: Database) -> None:
    secrets = Secrets({"PARLEY_SOURCE_AGENT_SECRET": "token"})
    room = InboxRoom(inbox(), secrets, database, holder=lambda: "here")
    own = {one.name for source in ("agent", "to:crm") for one in room.handlers.of(source, "x")}
    assert own == {"agent-calls", "send-crm"}
    for name in own:
        config = inbox(HandlerConfig(name=name, use="store"))
        assert broken(config) == [("inbox", "handler", 0, "name")]
        room = InboxRoom(config, secrets, database, holder=lambda: "here")
        with pytest.raises(ValueError, match=name):
            room.add_configured({})
    assert broken(inbox(HandlerConfig(name="crm-calls", use="store"), HandlerConfig(name="send", use="store"))) == []


@pytest.mark.parametrize("source", ["*", "agent", "ag*", OWN, source_of("crm")])
def test_a_source_that_there_is(source: str) -> None:
    assert broken(inbox(HandlerConfig(use="store", source=source))) == []


@pytest.mark.parametrize("source", ["gihub", "par*", "to:*", "to:erp", ""])
def test_a_source_that_there_is_not(source: str) -> None:
    assert broken(inbox(HandlerConfig(use="store", source=source))) == [("inbox", "handler", 0, "source")]
    assert broken(inbox(HandlerConfig(use="", source=source))) == []


def test_events_that_there_are_and_are_not() -> None:
    assert broken(inbox(events=[*EVENTS, "call.*", "*"])) == []
    assert broken(inbox(events=["call.ended", "call.begun"])) == [("inbox", "destination", 0, "events", 1)]


SECRET = DestinationConfig(name="crm", url="secret", signed=False)
HERE = ("inbox", "destination", 0, "url")


@pytest.mark.parametrize(
    "url", ["", "hook.example/s3cret", "ftp://hook.example/s3cret", "https://u:s3cret@hook.example/", "https://[s3cret"]
)
def test_an_address_that_is_a_secret_is_there_and_right_and_never_shown(url: str) -> None:
    for secrets in (Secrets({"PARLEY_DESTINATION_CRM_URL": url}), Secrets({"PARLEY_DESTINATION_CRM_URL": f"{url}\nx"})):
        [rule] = inbox_rules(InboxConfig(destination=[SECRET]), secrets)
        assert rule.path == HERE
        assert "destination-crm-url" in rule.problem
        assert "s3cret" not in rule.problem + rule.remedy


def test_a_right_address_may_be_a_secret() -> None:
    config = InboxConfig(
        handler=[HandlerConfig(use="forward", destination="crm")],
        destination=[SECRET],
    )
    assert broken(config) == []
    assert list(inbox_rules(config, Secrets({"PARLEY_DESTINATION_CRM_URL": "https://hook.example/s3cret"}))) == []


async def test_a_room_does_not_begin_without_the_address(database: Database) -> None:
    with pytest.raises(LocalError, match="crm"):
        InboxRoom(InboxConfig(destination=[SECRET]), Secrets({}), database, holder=lambda: "here")
