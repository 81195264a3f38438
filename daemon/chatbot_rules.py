"""What must hold for ``[redis]`` and ``[chatbot]``, as far as no plugin is needed to see it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from daemon.authorities import authority_rule
from daemon.broken_rule import BrokenRule
from daemon.config import ChatbotConfig, RedisConfig
from daemon.secrets import REDIS_PASSWORD
from daemon.toml_lines import KeyPath


def chatbot_rules(chatbot: ChatbotConfig, redis: RedisConfig) -> Iterator[BrokenRule]:
    """Every rule that is broken."""
    yield from _redis(redis)
    try:
        if chatbot.time_zone != "UTC":  # which there is without a database of time zones
            ZoneInfo(chatbot.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        problem = f'this machine knows no time zone "{chatbot.time_zone}"'
        remedy = "name one like Asia/Seoul, and install the system's tzdata where it is missing"
        yield BrokenRule(("chatbot", "time_zone"), problem, remedy)
    if chatbot.console_url and not _is_address(chatbot.console_url, ("http", "https")):
        remedy = "give https://host, with the path that a proxy puts before the console"
        yield BrokenRule(("chatbot", "console_url"), "this is no address of a page", remedy)
    first_of: dict[str, int] = {}
    for index, service in enumerate(chatbot.service):
        first = first_of.setdefault(service.name, index)
        if first != index:
            path: KeyPath = ("chatbot", "service", index, "name")
            problem = f'chatbot.service[{first}] is "{service.name}" too'
            yield BrokenRule(path, problem, "give each service its own name", ("chatbot", "service", first, "name"))


def _redis(redis: RedisConfig) -> Iterator[BrokenRule]:
    if redis.url and not _is_address(redis.url, ("redis", "rediss")):
        yield BrokenRule(("redis", "url"), "this is no address of a Redis", "give redis://host:6379/0 or rediss://…")
    elif redis.url:
        url = urlsplit(redis.url)
        if url.password:
            remedy = f"take it out and put it into the secret {REDIS_PASSWORD}"
            yield BrokenRule(("redis", "url"), "a password stands in it", remedy)
        if url.query or not (url.path.strip("/") or "0").isdecimal():
            remedy = "after the host give the number of a database at most, redis://host:6379/0"
            yield BrokenRule(("redis", "url"), "there is more in it than a host and a database", remedy)
    if redis.ca_file and not redis.url.startswith("rediss:"):
        yield BrokenRule(("redis", "ca_file"), "nothing is spoken over TLS", "write the url as rediss://…")
    else:
        yield from authority_rule(redis.ca_file, ("redis", "ca_file"))


def _is_address(address: str, schemes: tuple[str, str]) -> bool:
    try:
        url = urlsplit(address)
        _ = url.port, (url.hostname or "").encode("idna")
    except ValueError:  # of which UnicodeError is one
        return False
    return url.scheme in schemes and bool(url.hostname)
