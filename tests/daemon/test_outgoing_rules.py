"""What must hold for calls that Parley places."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.config import CallAppConfig, CallAppsConfig, OutgoingConfig, SwitchConfig
from daemon.config_file import read
from daemon.outgoing_rules import outgoing_rules
from daemon.toml_lines import KeyPath

TRUNK = {"0[0-9]+": "sofia/gateway/trunk/{number}"}
HERE = ("callapps", "outgoing")


def broken(dial: dict[str, str] | None = None, use: str = "echo", **fields: Any) -> list[KeyPath]:
    callapps = CallAppsConfig(app=[CallAppConfig(use=use)], outgoing=OutgoingConfig(**fields))
    switches = [SwitchConfig(name="first"), SwitchConfig(dial=TRUNK if dial is None else dial)]
    return [rule.path for rule in outgoing_rules(callapps, switches)]


def test_what_is_right() -> None:
    assert broken() == []
    assert broken({}) == []
    assert broken(allowed=["010[0-9]{8}"], refused=["0109.*"], caller="0212345678", closes="24:00") == []


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"allowed": ["("]}, (*HERE, "allowed", 0)),
        ({"refused": ["", "["]}, (*HERE, "refused", 1)),
        ({"allowed": [".*"], "dial": {}}, (*HERE, "allowed")),
        ({"allowed": [".*"], "use": ""}, (*HERE, "allowed")),
        ({"allowed": [".*"], "caller": "대표"}, (*HERE, "caller")),
        ({"allowed": [".*"], "caller": "02,x=y"}, (*HERE, "caller")),
        ({"allowed": [".*"], "days": []}, (*HERE, "days")),
        ({"allowed": [".*"], "opens": "20:00"}, (*HERE, "opens")),
        ({"allowed": [".*"], "time_zone": "Asia/Seoull"}, (*HERE, "time_zone")),
        ({"allowed": [".*"], "time_zone": "../etc/passwd"}, (*HERE, "time_zone")),
        ({"dial": {"(": "user/{number}"}}, ("switch", 1, "dial", "(")),
        ({"dial": {".*": "user/1001"}}, ("switch", 1, "dial", ".*")),
    ],
)
def test_what_is_not(fields: dict[str, Any], path: KeyPath) -> None:
    assert broken(**fields) == [path]


def test_they_are_held_against_the_file() -> None:
    document = """\
[[switch]]
[switch.dial]
"0[0-9]+" = "sofia/gateway/trunk"
[callapps.outgoing]
allowed = ["0[0-9]+"]
opens = "21:00"
time_zone = "Seoul"
"""
    _, mistakes = read(document, None)
    assert [(mistake.key, mistake.line) for mistake in mistakes] == [
        ("switch[0].dial.0[0-9]+", 3),
        ("callapps.outgoing.allowed", 5),
        ("callapps.outgoing.opens", 6),
        ("callapps.outgoing.time_zone", 7),
    ]
