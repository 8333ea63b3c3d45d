"""The server's token: from the environment, or made at the first start and kept in `keys.json` (0600).

Knows the file and nothing of HTTP. What else the file holds is kept as it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.files import read_bytes, reason

KEYS = "keys.json"
SERVER_TOKEN = "server_token"
MIN_TOKEN = 16
MAX_KEYS_BYTES = 2**20


@dataclass(frozen=True)
class Token:
    """The secret, and where it came from, in words that may be shown. `repr` never shows the secret."""

    value: str = field(repr=False)
    source: str


def check_token(value: str, source: str) -> Token:
    """The token, if it is one: printable ASCII without blanks, and long enough that nobody guesses it."""
    if len(value) < MIN_TOKEN or not value.isascii() or not value.isprintable() or " " in value:
        raise InvalidRequest(
            source, f"is not a token: at least {MIN_TOKEN} printable ASCII characters without blanks are needed"
        )
    return Token(value, source)


def kept_token(folder: Path) -> Token | None:
    """The token in the folder's `keys.json`, None if there is none. Others' rights to the file are taken away."""
    path = folder / KEYS
    if not path.exists():
        return None
    with contextlib.suppress(OSError):
        path.chmod(0o600)
    value = _read(path).get(SERVER_TOKEN)
    if value is None:
        return None
    if not isinstance(value, str):
        raise FileProblem(f"{path} is damaged: {SERVER_TOKEN} is not text")
    return check_token(value, f"{SERVER_TOKEN} in {path}")


def make_token(folder: Path) -> Token:
    """A new token, kept in `keys.json` for the next start. Raises `FileProblem` where it cannot be kept."""
    path = folder / KEYS
    keys = _read(path) if path.exists() else {}
    value = secrets.token_urlsafe(32)
    _write_private(path, json.dumps(keys | {SERVER_TOKEN: value}, indent=2).encode() + b"\n")
    return Token(value, f"{SERVER_TOKEN} in {path}")


def _read(path: Path) -> dict[str, Any]:
    try:
        keys = json.loads(read_bytes(path, MAX_KEYS_BYTES))
    except (ValueError, RecursionError):
        raise FileProblem(f"{path} is damaged: it is not JSON; move it away to begin a new one") from None
    if not isinstance(keys, dict):
        raise FileProblem(f"{path} is damaged: it is not a JSON object; move it away to begin a new one")
    return keys


def _write_private(path: Path, data: bytes) -> None:
    """Whole or not at all, and never readable by others, not even for an instant: mkstemp makes 0600."""
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        temporary = Path(name)
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise FileProblem(f"cannot write {path}: {reason(error)}") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
