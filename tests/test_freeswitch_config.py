"""The files for the switch's side: well-formed, without a usable password, and saying what the README says they do."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from daemon.config_rules import PLACEHOLDER
from protocols.stt.vendors import SUBCLASSES

FOLDER = Path(__file__).parent.parent / "config" / "freeswitch"
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.xml"))
COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)


def read(name: str) -> ElementTree.Element:
    return ElementTree.parse(FOLDER / name).getroot()


def actions(root: ElementTree.Element, extension: str) -> list[tuple[str, str]]:
    """The applications of an extension with their data, in order."""
    return [
        (action.get("application", ""), action.get("data", ""))
        for action in root.iterfind(f"extension[@name='{extension}']/condition/action")
    ]


def test_the_files_are_those_that_the_readme_names() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")

    assert len(FILES) == 5
    assert re.findall(r"^\| `([^`]+\.xml)`", readme, re.MULTILINE) == sorted(FILES, key=readme.index)


@pytest.mark.parametrize("name", FILES)
def test_well_formed_and_without_a_document_type(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")

    read(name)
    assert "<!DOCTYPE" not in text
    assert "<!ENTITY" not in text
    # FreeSWITCH's own XML reader ends a comment at the first "-->" and knows no nested ones.
    assert all("--" not in comment for comment in COMMENT.findall(text))


@pytest.mark.parametrize("name", FILES)
def test_lines_that_are_commented_out_are_well_formed_too(name: str) -> None:
    """An operator takes the comment signs away and expects the rest to be XML."""
    for comment in COMMENT.findall((FOLDER / name).read_text(encoding="utf-8")):
        for line in comment.splitlines():
            if line.strip().startswith("<") and line.strip().endswith("/>"):
                ElementTree.fromstring(line.strip())


def test_the_event_socket_listens_on_loopback_to_those_of_the_list_only() -> None:
    root = read("autoload_configs/event_socket.conf.xml")
    params = {param.get("name"): param.get("value") for param in root.iterfind("settings/param")}
    access = read("autoload_configs/acl.conf.fragment.xml")

    assert root.get("name") == "event_socket.conf"
    assert params["listen-ip"] == "127.0.0.1"
    assert params["listen-port"] == "8021"
    assert params["apply-inbound-acl"] == access.get("name")
    assert access.get("default") == "deny"
    assert [(node.get("type"), node.get("cidr")) for node in access] == [("allow", "127.0.0.1/32")]


def test_the_password_is_a_placeholder_that_the_readme_says_to_replace() -> None:
    root = read("autoload_configs/event_socket.conf.xml")
    password = root.find("settings/param[@name='password']")

    assert password is not None
    assert password.get("value") == PLACEHOLDER == "REPLACE-ME"
    assert "`REPLACE-ME`" in (FOLDER / "README.md").read_text(encoding="utf-8")
    assert not any("ClueCon" in path.read_text(encoding="utf-8") for path in FOLDER.rglob("*") if path.is_file())


def test_a_parked_call_carries_its_code_and_is_not_answered() -> None:
    root = read("dialplan/public/10_parley_park.xml")

    assert actions(root, "parley_order_app") == [("set_profile_var", "code=order-app"), ("park", "")]


def test_speech_to_text_starts_on_both_legs_before_the_bridge() -> None:
    root = read("dialplan/public/20_parley_stt_bridge.xml")
    start = "execute_extension parley_stt_start XML parley"
    bridging = actions(root, "parley_bridge_with_stt")

    assert bridging[:2] == [
        ("set", f"execute_on_answer={start}"),
        ("export", f"nolocal:execute_on_answer={start}"),
    ]
    assert bridging[-1][0] == "bridge"


def test_what_starts_it_stands_in_a_context_of_its_own_and_recognises_the_leg_it_runs_on() -> None:
    context = read("dialplan/parley.xml").find("context")

    assert context is not None
    assert context.get("name") == "parley"
    condition = context.find("extension[@name='parley_stt_start']/condition[@field='destination_number']")
    assert condition is not None
    assert re.fullmatch(condition.get("expression", ""), "parley_stt_start")
    assert actions(context, "parley_stt_start") == [("set", "parley_stt_started=${uuid_brain_stt(${uuid} start)}")]


def test_every_event_that_the_readme_names_is_read() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\b[a-z_]+::[a-z_]+", readme))

    assert "brain_stt::transcription" in named
    assert named <= set(SUBCLASSES)
    for vendor in ("google", "aws", "azure", "deepgram", "nuance", "ibm"):
        assert vendor in readme
        assert f"{vendor}_transcribe::transcription" in SUBCLASSES
