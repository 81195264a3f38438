"""What must hold between and behind the keys of ``[directory]``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from daemon.authorities import authority_rule
from daemon.broken_rule import BrokenRule
from daemon.config import DirectoryConfig, ElasticsearchConfig
from daemon.secrets import (
    ELASTICSEARCH_API_KEY,
    ELASTICSEARCH_PASSWORD,
    Secrets,
    UnreadableSecretError,
    environment_name,
)
from daemon.toml_lines import KeyPath
from protocols.synonyms import SynonymsError, read_synonyms

_HERE: KeyPath = ("directory", "elasticsearch")


def directory_rules(directory: DirectoryConfig, secrets: Secrets | None) -> Iterator[BrokenRule]:
    """Every rule that is broken; a missing secret is one, unless ``secrets`` is ``None``. Without an address nothing of
    Elasticsearch counts."""
    yield from _synonyms(directory.synonyms)
    if not directory.elasticsearch.urls:
        return
    yield from _addresses(directory.elasticsearch.urls)
    yield from authority_rule(directory.elasticsearch.ca_file, (*_HERE, "ca_file"))
    if secrets is not None:
        yield from _secrets(directory.elasticsearch, secrets)


def _synonyms(name: str) -> Iterator[BrokenRule]:
    """What is wrong with the file of synonyms, each line of it."""
    if not name:
        return
    path: KeyPath = ("directory", "synonyms")
    if not name.startswith("/"):
        yield BrokenRule(path, f'"{name}" is not a whole path', "begin it with a slash")
        return
    try:
        read_synonyms(Path(name).read_bytes())
    except OSError as error:
        yield BrokenRule(path, f'"{name}" cannot be read ({error.strerror})', "name a file, or leave it out")
    except SynonymsError as error:
        for mistake in error.mistakes:
            yield BrokenRule(path, f"{name}, {mistake}", "mend that line of the file")


def _addresses(urls: list[str]) -> Iterator[BrokenRule]:
    for index, address in enumerate(urls):
        path: KeyPath = (*_HERE, "urls", index)
        try:
            url = urlsplit(address)
            _ = url.port, (url.hostname or "").encode("idna")
        except ValueError:  # of which UnicodeError is one
            yield BrokenRule(path, "this is no URL", "give https://host:9200 or http://…")
            continue
        if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
            yield BrokenRule(path, "this is no address of that kind", "give https://host:9200 or http://…")
        elif url.username or url.password:
            remedy = f"take it out; name the user, and give the secret {ELASTICSEARCH_PASSWORD}"
            yield BrokenRule(path, "a user or a password stands in it", remedy)


def _secrets(config: ElasticsearchConfig, secrets: Secrets) -> Iterator[BrokenRule]:
    """A user needs a password; without one an API key may be there."""
    name = ELASTICSEARCH_PASSWORD if config.user else ELASTICSEARCH_API_KEY
    places = f"the credential file {name} or the environment variable {environment_name(name)}"
    try:
        if secrets.get(name) is None and config.user:
            yield BrokenRule((*_HERE, "user"), f"the secret {name} is missing", f"put it into {places}")
    except UnreadableSecretError as error:
        yield BrokenRule((*_HERE, "urls"), f"the secret {name} cannot be used: {error}", f"mend {places}")
