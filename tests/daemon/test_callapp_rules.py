"""What must hold between the keys of ``[callapps]``."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.callapp_rules import callapp_rules
from daemon.config import (
    CallAppConfig,
    CallAppsConfig,
    FallbackConfig,
    OutgoingConfig,
    RecogniserConfig,
    RenderingConfig,
    SpeechConfig,
    TakeoverConfig,
)
from daemon.secrets import Secrets
from daemon.toml_lines import KeyPath


def broken(*apps: CallAppConfig, recognisers: list[RecogniserConfig] | None = None, **fields: Any) -> list[KeyPath]:
    speech = SpeechConfig() if recognisers is None else SpeechConfig(recogniser=recognisers)
    return [rule.path for rule in callapp_rules(CallAppsConfig(app=list(apps), **fields), speech)]


def app(name: str, **fields: Any) -> CallAppConfig:
    return CallAppConfig(name=name, use="echo", **fields)


def test_what_is_right() -> None:
    assert broken() == []
    assert broken(CallAppConfig()) == []
    assert broken(app("a", codes=["a"]), app("b", dids=["07000001001"]), app("c", did_patterns=[".*"])) == []
    assert broken(app("a"), default="a", fallback=FallbackConfig(extension="1001")) == []


def test_a_code_or_number_is_of_one_app() -> None:
    assert broken(app("a", codes=["x", "y"]), app("b", codes=["z", "x"])) == [("callapps", "app", 1, "codes", 1)]
    assert broken(app("a", dids=["1", "1"])) == [("callapps", "app", 0, "dids", 1)]
    assert broken(app("a", codes=["x"]), CallAppConfig(name="b", codes=["x"])) == []
    assert broken(app("a", codes=["x"]), app("a", codes=["y"])) == [("callapps", "app", 1, "name")]


def test_an_app_must_be_reached() -> None:
    assert broken(app("a")) == [("callapps", "app", 0, "use")]
    assert broken(app("a"), outgoing=OutgoingConfig(allowed=["0.*"])) == []
    assert broken(app("a", codes=[""])) == [("callapps", "app", 0, "codes", 0)]
    assert broken(app("a", did_patterns=["("])) == [("callapps", "app", 0, "did_patterns", 0)]
    assert broken(CallAppConfig(name="a"), default="a") == [("callapps", "default")]


def test_where_operators_send_callers_is_an_expression() -> None:
    assert broken(takeover=TakeoverConfig(allowed=["1[0-9]{3}"], refused=["1999"])) == []
    assert broken(takeover=TakeoverConfig(allowed=["1...", "("], refused=["["])) == [
        ("callapps", "takeover", "allowed", 1),
        ("callapps", "takeover", "refused", 0),
    ]


@pytest.mark.parametrize("extension", ["1001 XML", "-both"])
def test_a_fallback_must_lead_somewhere(extension: str) -> None:
    assert broken(fallback=FallbackConfig(extension=extension)) == [("callapps", "fallback", "extension")]


@pytest.mark.parametrize("music", ["/srv/${moh}.wav", "a\nb"])
def test_music_is_a_path(music: str) -> None:
    assert broken(hold_music=music) == [("callapps", "hold_music")]
    assert broken(hold_music="local_stream://moh") == []


def test_a_relay_has_a_secret() -> None:
    config = CallAppsConfig(app=[CallAppConfig(name="shop", use="relay", codes=["x"])])

    def missing(secrets: Secrets | None) -> list[str]:
        return [rule.problem for rule in callapp_rules(config, SpeechConfig(), secrets)]

    assert missing(None) == missing(Secrets({"PARLEY_CALLAPP_SHOP_SECRET": "s3"})) == []
    for environment in ({}, {"PARLEY_CALLAPP_SHOP_SECRET": " "}):
        assert missing(Secrets(environment)) == ["the secret callapp-shop-secret is missing"]
    (problem,) = missing(Secrets({"PARLEY_CALLAPP_SHOP_SECRET": "s3\ns4"}))
    assert problem == "the secret callapp-shop-secret cannot be used: it has more than one line"


def test_recognisers() -> None:
    one = RecogniserConfig()
    here = ("speech", "recogniser")
    assert broken(recognisers=[one, one]) == [(*here, 1, "vendor")]
    assert broken(recognisers=[RecogniserConfig(start="uuid_brain_stt start")]) == [(*here, 0, "start")]
    assert broken(recognisers=[RecogniserConfig(stop="")]) == [(*here, 0, "stop")]
    assert broken(recognisers=[RecogniserConfig(stop="uuid_x {leg_id}\nhupall")]) == [(*here, 0, "stop")]
    assert (
        broken(recognisers=[RecogniserConfig(start="app detect_speech unimrcp", stop="app detect_speech stop")]) == []
    )
    assert broken(app("a", codes=["x"]), recognisers=[]) == [("callapps", "recogniser")]
    assert broken(app("a", codes=["x"]), recognisers=[], recogniser="") == []


def test_a_program_that_renders() -> None:
    here = ("callapps", "rendering")

    def rendering(*command: str, **fields: str) -> list[KeyPath]:
        return broken(rendering=RenderingConfig(command=list(command), **fields))  # type: ignore[arg-type]

    assert rendering(folder="") == []
    assert rendering("/bin/cat", "-w={output}") == []
    assert rendering("cat", "{output}") == [(*here, "command", 0)]
    assert rendering("/bin", "{output}") == [(*here, "command", 0)]
    assert rendering("/bin/no-such-program", "{output}") == [(*here, "command", 0)]
    assert rendering("/bin/cat") == [(*here, "command")]
    assert rendering("/bin/cat", "{output}", "{text}") == [(*here, "command", 2)]
    assert rendering("/bin/cat", "{output}", folder="voice") == [(*here, "folder")]
    assert rendering("/bin/cat", "{output}", folder="", switch_folder="voice") == [
        (*here, "folder"),
        (*here, "switch_folder"),
    ]
