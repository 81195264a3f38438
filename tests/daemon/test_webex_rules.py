"""What must hold for the bot at Webex."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.chatbot.room import HANDLERS
from daemon.config import ChatbotConfig, Config, HandlerConfig, InboxConfig, SourceConfig, WebexConfig
from daemon.config_file import read
from daemon.secrets import Secrets, source_secrets
from daemon.toml_lines import KeyPath
from daemon.webex_rules import webex_rules

SOURCE = SourceConfig(name="webex", kind="webex")
TOKEN = {"PARLEY_WEBEX_BOT_TOKEN": "a-token"}
HERE = ("chatbot", "webex")


def broken(
    environment: dict[str, str] | None = None, source: SourceConfig | None = SOURCE, **fields: Any
) -> list[KeyPath]:
    given = {"webhook_url": "https://parley.example.com"} | fields
    config = Config(
        inbox=InboxConfig(source=[source] if source else []), chatbot=ChatbotConfig(webex=WebexConfig(**given))
    )
    return [rule.path for rule in webex_rules(config, Secrets(TOKEN if environment is None else environment))]


def test_what_is_right() -> None:
    assert broken() == []
    assert broken({}, None, webhook_url="", api_url="nonsense") == []
    assert broken(source=SourceConfig(name="webex", kind="webex", algorithm="sha256")) == []
    assert broken(source=SourceConfig(name="bot", kind="webex")) == [(*HERE, "source")]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"webhook_url": "parley.example.com"}, "webhook_url"),
        ({"webhook_url": "https://u:p@parley.example.com"}, "webhook_url"),
        ({"webhook_url": "https://parley.example.com/?a=b"}, "webhook_url"),
        ({"webhook_url": "https://parley.example.com#a"}, "webhook_url"),
        ({"api_url": "ftp://webexapis.com"}, "api_url"),
        ({"api_url": "https://webexapis.com/v1?a=b"}, "api_url"),
        ({"source": None}, "source"),
        ({"source": SourceConfig(name="webex", kind="off")}, "source"),
        ({"source": SourceConfig(name="webex", kind="generic")}, "source"),
        ({"source": SourceConfig(name="webex", kind="webex", check="bearer")}, "source"),
        ({"environment": {}}, "webhook_url"),
        ({"environment": {"PARLEY_WEBEX_BOT_TOKEN": "한글"}}, "webhook_url"),
        ({"environment": {"PARLEY_WEBEX_BOT_TOKEN": "a\nb"}}, "webhook_url"),
    ],
)
def test_what_is_not(fields: dict[str, Any], path: str) -> None:
    assert broken(**fields) == [(*HERE, path)]


def test_no_handler_takes_the_name_of_one_of_the_bots() -> None:
    webex = ChatbotConfig(webex=WebexConfig(webhook_url="https://parley.example.com"))
    handlers = [HandlerConfig(name=name) for name in ("keep", *HANDLERS)]
    config = Config(inbox=InboxConfig(source=[SOURCE], handler=handlers), chatbot=webex)
    paths = [rule.path for rule in webex_rules(config, Secrets(TOKEN))]
    assert paths == [("inbox", "handler", 1, "name"), ("inbox", "handler", 2, "name")]


def test_they_are_held_against_the_file() -> None:
    document = '[chatbot.webex]\nwebhook_url = "https://parley.example.com"\nwebhook_name = " "\n'
    _, mistakes = read(document, Secrets(TOKEN))
    assert [mistake.key for mistake in mistakes] == ["chatbot.webex.source", "chatbot.webex.webhook_name"]
    whole = '[[inbox.source]]\nname = "webex"\nkind = "webex"\n' + document.replace('" "', '"우리 봇"')
    config, mistakes = read(whole, Secrets(TOKEN))
    assert (config.chatbot.webex.webhook_name, mistakes) == ("우리 봇", [])


def test_the_secret_of_the_webhooks_is_made_of_the_token_where_none_is_given() -> None:
    [made] = source_secrets(SOURCE, Secrets(TOKEN))
    assert len(made) == 64
    assert "a-token" not in made
    assert source_secrets(SOURCE, Secrets(dict(TOKEN))) == [made], "the same in every process"
    assert source_secrets(SOURCE, Secrets({"PARLEY_WEBEX_BOT_TOKEN": "another"})) != [made]
    given = TOKEN | {"PARLEY_SOURCE_WEBEX_SECRET": "given", "PARLEY_SOURCE_WEBEX_SECRET_2": "before"}
    assert source_secrets(SOURCE, Secrets(given)) == ["given", "before"]
    assert source_secrets(SourceConfig(name="github", kind="github"), Secrets(TOKEN)) == []
    assert source_secrets(SOURCE, Secrets({})) == []
