"""What must hold for the bot at Webex: ``[chatbot.webex]``, its source in ``[inbox]`` and its secret."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from daemon.broken_rule import BrokenRule
from daemon.config import Config
from daemon.inbox_rules import url_problem
from daemon.secrets import WEBEX_BOT_TOKEN, Secrets, UnreadableSecretError, environment_name
from daemon.toml_lines import KeyPath

_HERE: KeyPath = ("chatbot", "webex")
_HANDLERS = ("chatbot-messages", "chatbot-cards")


def webex_rules(config: Config, secrets: Secrets | None) -> Iterator[BrokenRule]:
    """Every rule that is broken; without a ``webhook_url`` nothing counts. A missing token is one, unless ``secrets``
    is ``None``."""
    webex = config.chatbot.webex
    if not webex.webhook_url:
        return
    for key in ("webhook_url", "api_url"):
        url = getattr(webex, key)
        if problem := url_problem(url):
            yield BrokenRule((*_HERE, key), *problem)
        elif urlsplit(url).query or urlsplit(url).fragment:
            remedy = "leave out what begins with ? or #"
            yield BrokenRule((*_HERE, key), "there is more in it than a host and a path", remedy)
    sources = [source for source in config.inbox.source if source.name == webex.source and source.kind != "off"]
    if not sources:
        remedy = f'add an [[inbox.source]] with name = "{webex.source}" and kind = "webex"'
        yield BrokenRule((*_HERE, "source"), f'there is no source "{webex.source}" to deliver to', remedy)
    elif sources[0].kind != "webex" or sources[0].check != "signature":
        remedy = 'give it kind = "webex" and check = "signature", or name another'
        yield BrokenRule(
            (*_HERE, "source"), f'the source "{webex.source}" does not know Webex by its signature', remedy
        )
    for index, handler in enumerate(config.inbox.handler):
        if handler.name in _HANDLERS:
            path: KeyPath = ("inbox", "handler", index, "name")
            yield BrokenRule(path, f'"{handler.name}" is the name of a handler of Parley\'s own', "give another")
    if secrets is not None:
        yield from _token(secrets)


def _token(secrets: Secrets) -> Iterator[BrokenRule]:
    path: KeyPath = (*_HERE, "webhook_url")
    places = f"the credential file {WEBEX_BOT_TOKEN} or the environment variable {environment_name(WEBEX_BOT_TOKEN)}"
    try:
        token = secrets.get(WEBEX_BOT_TOKEN)
    except UnreadableSecretError as error:
        yield BrokenRule(path, f"the secret {WEBEX_BOT_TOKEN} cannot be used: {error}", f"mend {places}")
        return
    if token is None:
        remedy = f"put it into {places}, or leave webhook_url out"
        yield BrokenRule(path, f"the secret {WEBEX_BOT_TOKEN} is missing", remedy)
    elif not token.isascii() or not token.isprintable() or " " in token:
        yield BrokenRule(path, f"the secret {WEBEX_BOT_TOKEN} is no token", f"mend {places}")
