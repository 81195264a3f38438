"""What is wrong with mail in a configuration is said by key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme

from daemon.config import MailConfig
from daemon.mail_rules import mail_rules
from daemon.secrets import Secrets

RIGHT: dict[str, Any] = {"host": "mail.example.com", "sender": "parley@example.com"}


def broken(config: MailConfig, environment: dict[str, str] | None = None) -> list[tuple[str, str]]:
    rules = mail_rules(config, None if environment is None else Secrets(environment))
    return [(str(rule.path[-1]), rule.problem) for rule in rules]


def test_nothing_at_all_is_right_and_so_is_a_whole_account(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(authority))
    whole = RIGHT | {"recipient": "lead@example.com", "ca_file": str(authority)}
    for config in (
        MailConfig(),
        MailConfig(**RIGHT),
        MailConfig(**whole),
        MailConfig(**RIGHT | {"host": "2001:db8::1"}),
    ):
        assert broken(config, {}) == []


@pytest.mark.parametrize(
    ("wrong", "key", "problem"),
    [
        ({"sender": ""}, "sender", "it is missing"),
        ({"sender": "parley"}, "sender", "an e-mail address has"),
        ({"recipient": "lead"}, "recipient", "an e-mail address has"),
        ({"host": "mail.example.com:25"}, "host", "this is no host"),
        ({"host": "smtp://mail.example.com"}, "host", "this is no host"),
        ({"host": "mail..example.com"}, "host", "this is no host"),
        ({"ca_file": "/nowhere/ca.pem"}, "ca_file", 'there is no file "/nowhere/ca.pem"'),
        ({"ca_file": "/etc/passwd"}, "ca_file", '"/etc/passwd" holds no certificate in PEM'),
    ],
)
def test_what_is_wrong_is_named(wrong: dict[str, Any], key: str, problem: str) -> None:
    [(named, said)] = broken(MailConfig(**RIGHT | wrong))
    assert (named, said.startswith(problem)) == (key, True)


@pytest.mark.parametrize("key", ["a", "AAAA", "?" * 44])
@pytest.mark.parametrize("name", ["PARLEY_MAIL_PASSWORD_KEY", "PARLEY_MAIL_PASSWORD_KEY_2"])
def test_a_key_that_is_none_is_said_and_not_repeated(name: str, key: str) -> None:
    [(_, said)] = broken(MailConfig(), {name: key})
    assert said == "the secret mail-password-key cannot be used: it is no key: parley mail key prints one"
    [(_, said)] = broken(MailConfig(), {"PARLEY_MAIL_PASSWORD": "two\nlines"})
    assert said == "the secret mail-password cannot be used: it has more than one line"
