"""Structured logs: readable on a terminal, JSON lines elsewhere, fields of the journal under systemd.

Rooms log with ``structlog.get_logger(__name__)``, an event's name in snake_case and fields. What libraries write
through :mod:`logging` takes the same way. Numbers are masked and secrets withheld on that way (:mod:`daemon.masking`),
so a room that logs one by mistake does no harm.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from daemon.config import LogConfig
from daemon.journal import SOCKET, Journal, leads_to_journal
from daemon.masking import WITHHELD, WITHHELD_KEYS, clean

JOURNAL_FIELDS = {"call_id": "CALL_ID", "link": "LINK", "app": "CALLAPP"}
"""Fields that can be asked for by themselves: ``journalctl CALL_ID=…``."""

# What these libraries tell at "info" is a line for every request or packet.
_OURS = ("daemon", "web", "parley")
_TALKATIVE = ("aiohttp.access", "alembic", "asyncio", "engineio", "socketio", "sqlalchemy", "websockets")
# And this one at "warning" a line for every request that failed, which is said once by who made it.
_COMPLAINING = ("elastic_transport",)

_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


def configure(config: LogConfig, stream: TextIO | None = None, journal: Path = SOCKET) -> None:
    """Send every log line to ``stream`` (standard error) in the configured form. Call it again to change it.

    Where ``stream`` leads to systemd's journal, lines go to the socket ``journal`` instead, with fields.
    """
    stream = sys.stderr if stream is None else stream
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    handler = _handler(config, stream, journal, shared)
    root = logging.getLogger()
    for old in root.handlers[:]:
        if isinstance(old, _JournalHandler | _StreamHandler):
            root.removeHandler(old)
            old.close()
    root.addHandler(handler)
    set_level(config.level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.captureWarnings(True)


def set_level(level: str) -> None:
    """Log what is at least as grave as ``level``, from now on.

    Below "info" that is for our own code: libraries there tell what they handle, rows and requests with all they hold.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.getLogger().setLevel(max(number, logging.INFO))
    for name in _OURS:
        logging.getLogger(name).setLevel(number)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    for name in _COMPLAINING:
        logging.getLogger(name).setLevel(max(number, logging.ERROR))


def guard(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    """The processor that masks numbers and withholds secrets and transcripts; it stands before every renderer."""
    for key, value in event_dict.items():
        if key.startswith("_"):  # the formatter's own
            continue
        event_dict[key] = WITHHELD if key in WITHHELD_KEYS else clean(value)
    return event_dict


def _handler(
    config: LogConfig, stream: TextIO, journal: Path, shared: list[structlog.typing.Processor]
) -> logging.Handler:
    handler: logging.Handler = _StreamHandler(stream)
    console = config.format == "console" or (config.format == "auto" and stream.isatty())
    if config.format == "auto" and leads_to_journal(stream, os.environ.get("JOURNAL_STREAM")):
        try:
            handler = _JournalHandler(Journal(journal), stream)
        except OSError:
            console = False  # the journal reads the stream line by line instead
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                guard,
                structlog.dev.ConsoleRenderer(colors=stream.isatty())
                if console
                else structlog.processors.JSONRenderer(serializer=_json),
            ],
        )
    )
    return handler


def _json(event_dict: EventDict, **_options: Any) -> str:
    return json.dumps(event_dict, ensure_ascii=False, default=str)


class _StreamHandler(logging.StreamHandler[TextIO]):
    """Its own type, so that a second ``configure`` knows which handler is ours."""


class _JournalHandler(logging.Handler):
    """Hands the JSON line to the journal with the fields by which people look for it; else writes it to the stream."""

    def __init__(self, journal: Journal, stream: TextIO) -> None:
        super().__init__()
        self._journal = journal
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
            event = record.msg if isinstance(record.msg, dict) else {}
            fields = {name: str(clean(event[key])) for key, name in JOURNAL_FIELDS.items() if event.get(key)}
            if not self._journal.send(line, _PRIORITIES.get(record.levelno, 6), fields):
                print(line, file=self._stream, flush=True)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        self._journal.close()
        super().close()
