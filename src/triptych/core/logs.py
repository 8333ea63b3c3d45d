"""One line of JSON for everything that happens: times, routes, states, ids; nothing that a person wrote.

An exception is told by its kind and where it was raised, without its text, which may quote a prompt. Used by the server
and by its workers, so that all that comes out of one machine reads alike.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TextIO

FIELDS = "fields"
"""Where a record carries its own fields: `logger.info("request", extra={"fields": {...}})`."""
OURS = "triptych"


class JsonLines(logging.Formatter):
    """A record as one line of JSON. hidden: texts that never appear, such as the token."""

    def __init__(self, hidden: Iterable[str] = ()) -> None:
        super().__init__()
        self.hidden = tuple(hidden)

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "event": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            line["where"] = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames]
        text = json.dumps(line, ensure_ascii=True, default=str)
        for secret in self.hidden:
            text = text.replace(secret, "***")
        return text


def set_up(level: str, *, hidden: Iterable[str] = (), others: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Our loggers, and those named `others`, as lines of JSON on `stream` (stderr)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(hidden))
    for name in (OURS, *others):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level.upper())
