"""The server's token: from the environment, or made at the first start and kept in `keys.json` (0600).

Knows the file and nothing of HTTP. What else the file holds is kept as it is.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from triptych.core import keyfile
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.keyfile import KEYS

SERVER_TOKEN = "server_token"
MIN_TOKEN = 16


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
    """The token in the folder's `keys.json`, None if there is none."""
    return _token(keyfile.read(folder), folder)


def make_token(folder: Path) -> Token:
    """A new token, kept in `keys.json` for the next start; another start's, where that was faster. Raises `FileProblem`
    where it cannot be kept.
    """
    new = secrets.token_urlsafe(32)
    made = _token(keyfile.change(folder, lambda keys: {SERVER_TOKEN: new} | keys), folder)
    assert made is not None
    return made


def _token(keys: keyfile.Kept, folder: Path) -> Token | None:
    value = keys.get(SERVER_TOKEN)
    if value is None:
        return None
    path = folder / KEYS
    if not isinstance(value, str):
        raise FileProblem(f"{path} is damaged: {SERVER_TOKEN} is not text")
    return check_token(value, f"{SERVER_TOKEN} in {path}")
