"""What must hold for [redis] and [chatbot]."""

from __future__ import annotations

import pytest

from daemon.config_file import read
from daemon.errors import Mistake
from daemon.secrets import Secrets


def mistakes_in(document: str) -> list[Mistake]:
    return read(document, Secrets({}))[1]


@pytest.mark.parametrize(
    ("table", "key", "said"),
    [
        ('[redis]\nurl = "redis.example:6379"', "redis.url", "no address of a Redis"),
        ('[redis]\nurl = "http://redis.example"', "redis.url", "no address of a Redis"),
        ('[redis]\nurl = "redis://:x"', "redis.url", "no address of a Redis"),
        ('[redis]\nurl = "redis://:topsecret@redis.example"', "redis.url", "a password stands in it"),
        ('[redis]\nurl = "redis://redis.example/a"', "redis.url", "more in it"),
        ('[redis]\nurl = "redis://redis.example/0?db=1"', "redis.url", "more in it"),
        ('[redis]\nurl = "rediss://redis.example"\nca_file = "/nowhere.pem"', "redis.ca_file", "there is no file"),
        ('[redis]\nurl = "rediss://redis.example"\nca_file = "/etc/passwd"', "redis.ca_file", "no certificate"),
        ('[redis]\nca_file = "/etc/passwd"', "redis.ca_file", "nothing is spoken over TLS"),
        ('[chatbot]\ntime_zone = "Asia/Nowhere"', "chatbot.time_zone", "no time zone"),
        ('[chatbot]\nconsole_url = "parley.example.com"', "chatbot.console_url", "no address of a page"),
        ("[chatbot]\ndeadline = 61.0", "chatbot.deadline", "61.0"),
        ('[[chatbot.service]]\nname = "a b"', "chatbot.service[0].name", "does not fit"),
        (
            '[[chatbot.service]]\nname = "a"\n[[chatbot.service]]\nname = "a"',
            "chatbot.service[1].name",
            'chatbot.service[0] is "a" too',
        ),
    ],
)
def test_what_is_wrong_is_said_by_key(table: str, key: str, said: str) -> None:
    [mistake] = mistakes_in(table)
    assert mistake.key == key
    assert said in mistake.problem
    assert "topsecret" not in str(mistake)


def test_what_is_right_is_taken() -> None:
    document = '[redis]\nurl = "rediss://parley@redis.example:6380/1"\n[chatbot]\nconsole_url = "https://p.example/x"\n'
    assert mistakes_in(document) == []
