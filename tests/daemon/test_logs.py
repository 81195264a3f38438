import io
import json
import logging
import os
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from daemon import logs
from daemon.config import LogConfig
from daemon.journal import Journal, leads_to_journal
from daemon.masking import mask_numbers
from daemon.stores.database import Database
from daemon.stores.utterances import add_utterances
from tests.daemon.stores.rows import utterance_row


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """A place for log lines; the logging of the test run stands again afterwards."""
    root = logging.getLogger()
    handlers, level, settings = root.handlers[:], root.level, structlog.get_config()
    yield io.StringIO()
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**settings)


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("01012345678", "010****5678"),
        ("call from 0212345678 to +821012345678.", "call from 021****5678 to 821****5678."),
        ("010-1234-5678, 02 123 4567, +82-10-1234-5678", "010****5678, 021****4567, 821****5678"),
        ("sip:01012345678@192.0.2.17:5060", "sip:010****5678@192.0.2.17:5060"),
        ("/rec/in-01012345678_x.wav", "/rec/in-010****5678_x.wav"),
        ("tel12125551234", "tel121****1234"),
        ("18005551234567", "180****4567"),
        ("1012345678", "101****5678"),
        ("10-1234-5678", "101****5678"),
        ("82-10-1234-5678", "821****5678"),
        ("010.1234.5678", "010****5678"),
        ("(010) 1234-5678", "010****5678"),
        ("(02) 123.4567", "021****4567"),
        ("010–1234–5678", "010****5678"),
        ("20240501.01012345678", "20240501.010****5678"),
    ],
)
def test_phone_numbers_are_masked(text: str, shown: str) -> None:
    assert mask_numbers(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "01936d6b-8c3f-7abc-8def-012345678901",
        "12345678-1234-1234-1234-123456789012",
        "2026-11-21T00:26:35.123456Z",
        "2026-11-21 00:26:35",
        "1763683200",
        "1763683200.123456789",
        "1763683200123",
        "1763683200123456",
        "192.168.100.200:8021",
        "0.000123456789",
        "d41d8cd98f00b204e9800998ecf8427e",
        "extension 1001, port 8021, 16777216 bytes",
        "1588-1234",
        "12.345678901234 s",
        "1700000000 to 1700000000123",
        "parley 1.2.3, python 3.11.9, 10.0.0.1:8021",
        "2026-11-21 1030-1130",
    ],
)
def test_what_is_no_phone_number_stays(text: str) -> None:
    assert mask_numbers(text) == text


def test_json_lines_hold_the_fields_without_numbers_secrets_or_speech(stream: io.StringIO) -> None:
    logs.configure(LogConfig(format="json"), stream)
    structlog.get_logger("daemon.calls").info(
        "call_began",
        call_id="01936d6b-8c3f-7abc-8def-0123456789ab",
        caller="01012345678",
        text="환불해 주세요",
        at=1763683200.25,
        headers={"password": "hunter2", "To": ["0212345678"]},
        raw=b"0212345678",
    )
    (line,) = lines_of(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "call_began",
        "level": "info",
        "logger": "daemon.calls",
        "call_id": "01936d6b-8c3f-7abc-8def-0123456789ab",
        "caller": "010****5678",
        "text": "[withheld]",
        "at": 1763683200.25,
        "headers": {"password": "[withheld]", "To": ["021****5678"]},
        "raw": "10 bytes",
    }


def test_libraries_write_the_same_lines(stream: io.StringIO) -> None:
    logs.configure(LogConfig(format="json"), stream)
    logging.getLogger("aiohttp.server").error("from %s", "01012345678", extra={"peer": "0212345678"})
    logging.getLogger("aiohttp.access").info("GET /sign-in?code=x")
    logging.getLogger("websockets.server").info("connection open")
    (line,) = lines_of(stream)
    assert (line["event"], line["peer"], line["logger"]) == ("from 010****5678", "021****5678", "aiohttp.server")


def test_tracebacks_are_masked_too(stream: io.StringIO) -> None:
    logs.configure(LogConfig(format="json"), stream)
    try:
        raise ValueError("no route to 01012345678")
    except ValueError:
        structlog.get_logger("x").exception("failed")
    (line,) = lines_of(stream)
    assert line["exception"].endswith("ValueError: no route to 010****5678")


def test_level_changes_while_running(stream: io.StringIO) -> None:
    logs.configure(LogConfig(level="warning", format="json"), stream)
    log = structlog.get_logger("daemon.x")
    log.info("one")
    logs.set_level("debug")
    log.debug("two")
    logs.set_level("error")
    log.warning("three")
    assert [line["event"] for line in lines_of(stream)] == ["two"]


def test_terminal_form_is_for_reading(stream: io.StringIO) -> None:
    logs.configure(LogConfig(format="console"), stream)
    structlog.get_logger("daemon.x").warning("link_lost", link="switch:main", caller="01012345678")
    assert "link_lost" in stream.getvalue()
    assert "caller=010****5678" in stream.getvalue()
    assert "{" not in stream.getvalue()


def test_configuring_twice_writes_each_line_once(stream: io.StringIO) -> None:
    logs.configure(LogConfig(format="json"), stream)
    logs.configure(LogConfig(format="json"), stream)
    structlog.get_logger("x").info("one")
    assert len(lines_of(stream)) == 1


def read_entry(datagram: bytes) -> dict[str, str]:
    """Parse one datagram of the journal's native protocol."""
    entry = {}
    while datagram:
        head, _, datagram = datagram.partition(b"\n")
        name, equals, value = head.partition(b"=")
        if not equals:
            (size,) = struct.unpack("<Q", datagram[:8])
            value, datagram = datagram[8 : 8 + size], datagram[9 + size :]
        entry[name.decode()] = value.decode()
    return entry


def test_journal_gets_the_line_and_its_fields(
    stream: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal, (tmp_path / "out").open("w") as out:
        journal.bind(str(tmp_path / "journal"))
        status = os.fstat(out.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        logs.configure(LogConfig(), out, tmp_path / "journal")
        call_id = "01936d6b-8c3f-7abc-8def-0123456789ab"
        structlog.get_logger("daemon.x").error("lost\nagain", call_id=call_id, link="switch:main", to="0212345678")
        entry = read_entry(journal.recv(65_536))
        logging.getLogger().handlers[-1].close()
    line = json.loads(entry["MESSAGE"])
    assert (line["event"], line["to"]) == ("lost\nagain", "021****5678")
    assert entry["CALL_ID"] == call_id
    assert entry["LINK"] == "switch:main"
    assert entry["PRIORITY"] == "3"
    assert entry["SYSLOG_IDENTIFIER"] == "parley"


def test_journal_that_takes_nothing_is_not_waited_for(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stuck:
        stuck.bind(str(tmp_path / "journal"))
        journal = Journal(tmp_path / "journal")
        began = time.monotonic()
        while journal.send("x" * 1000, 6, {"LINK": "two\nlines"}):
            assert time.monotonic() - began < 60, "the socket never filled"
        assert read_entry(stuck.recv(65_536))["LINK"] == "two\nlines"
        journal.close()


def test_only_the_stream_of_the_journal_is_the_journal(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as out:
        assert not leads_to_journal(out, None)
        assert not leads_to_journal(out, "1:2")
        assert not leads_to_journal(io.StringIO(), "1:2")


async def test_what_people_say_stands_in_no_log_however_much_is_logged(stream: io.StringIO, tmp_path: Path) -> None:
    logs.configure(LogConfig(level="debug", format="json"), stream)
    database = Database.of(f"sqlite:///{tmp_path}/parley.db")
    await database.upgrade()
    async with database.transaction() as connection:
        await add_utterances(connection, [utterance_row("call", 1, text="환불해 주세요")])
    await database.close()
    structlog.get_logger("daemon.calls").debug("told")
    assert [line["event"] for line in lines_of(stream) if line["level"] == "debug"] == ["told"]
    assert "환불" not in stream.getvalue()
