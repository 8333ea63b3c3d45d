"""One line of JSON for everything that happens, on stderr: times, routes, statuses, ids; no prompts and no addresses.

What people wrote is logged at level `debug` only, and there it is said so in docs/server.md. A route is logged by its
template and a query not at all, since a search's words are somebody's words too.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

LOGGER = "triptych.server"
FIELDS = "fields"
"""Where a record carries its own fields: `logger.info("request", extra={"fields": {...}})`."""


class JsonLines(logging.Formatter):
    """A record as one line of JSON. hidden: texts that never appear, such as the token."""

    def __init__(self, hidden: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.hidden = hidden

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            # Where it happened, not what was in hand: an exception's text may quote a prompt.
            frames = traceback.extract_tb(record.exc_info[2])
            line["where"] = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames]
        text = json.dumps(line, ensure_ascii=True, default=str)
        for secret in self.hidden:
            text = text.replace(secret, "***")
        return text


def set_up(level: str, *, hidden: tuple[str, ...] = (), stream: TextIO | None = None) -> logging.Logger:
    """The server's logger and uvicorn's, both as lines of JSON on `stream` (stderr)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(hidden))
    for name in (LOGGER, "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level.upper())
    # uvicorn tells at "info" what it is doing to stop and start; a line for each request is written here.
    logging.getLogger("uvicorn.access").disabled = True
    return logging.getLogger(LOGGER)
