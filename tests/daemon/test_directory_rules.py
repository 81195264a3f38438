"""What must hold for the directory's Elasticsearch."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.config import DirectoryConfig, ElasticsearchConfig
from daemon.config_file import read
from daemon.directory_rules import directory_rules
from daemon.secrets import Secrets
from daemon.toml_lines import KeyPath

HERE: KeyPath = ("directory", "elasticsearch")
HTTPS = ["https://search.example:9200", "https://search2.example"]


def broken(environment: dict[str, str] | None = None, **fields: Any) -> list[KeyPath]:
    config = DirectoryConfig(elasticsearch=ElasticsearchConfig(**fields))
    return [rule.path for rule in directory_rules(config, None if environment is None else Secrets(environment))]


def test_what_is_right() -> None:
    assert broken({}) == []
    assert broken({}, urls=HTTPS) == []
    assert broken({}, urls=["http://127.0.0.1:9200/path"]) == []
    assert broken({"PARLEY_ELASTICSEARCH_PASSWORD": "example"}, urls=HTTPS, user="parley") == []
    assert broken({"PARLEY_ELASTICSEARCH_API_KEY": "example"}, urls=HTTPS) == []
    assert broken(None, urls=HTTPS, user="parley") == []
    assert broken({}, user="parley", ca_file="/none") == [], "without an address nothing of it counts"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"urls": [*HTTPS, "search.example:9200"]}, (*HERE, "urls", 2)),
        ({"urls": ["ftp://search.example"]}, (*HERE, "urls", 0)),
        ({"urls": ["https://"]}, (*HERE, "urls", 0)),
        ({"urls": ["https://search.example:port"]}, (*HERE, "urls", 0)),
        ({"urls": ["https://search.example/?pretty"]}, (*HERE, "urls", 0)),
        ({"urls": ["https://parley:secret@search.example"]}, (*HERE, "urls", 0)),
        ({"urls": HTTPS, "ca_file": "/none.pem"}, (*HERE, "ca_file")),
        ({"urls": HTTPS, "ca_file": "/etc/passwd"}, (*HERE, "ca_file")),
        ({"urls": HTTPS, "user": "parley"}, (*HERE, "user")),
    ],
)
def test_what_is_not(fields: dict[str, Any], path: KeyPath) -> None:
    assert broken({}, **fields) == [path]


def test_a_secret_that_cannot_be_read_is_said() -> None:
    assert broken({"PARLEY_ELASTICSEARCH_API_KEY": "two\nlines"}, urls=HTTPS) == [(*HERE, "urls")]


def test_no_password_is_repeated() -> None:
    document = '[directory.elasticsearch]\nurls = ["https://parley:hidden@search.example"]\n'
    _, mistakes = read(document, Secrets({}))
    assert "a user or a password stands in it" in str(mistakes[0])
    assert all("hidden" not in str(mistake) for mistake in mistakes)
