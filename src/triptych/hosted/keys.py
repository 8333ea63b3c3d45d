"""The providers' keys: from the environment that is handed in, or from `keys.json` (0600) in the data folder.

A key is a `Secret`, which no `repr`, message or JSON shows. The file is shared with the server's token and whatever
else lies in it: only the names that are asked for are touched, by one writer at a time.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import tempfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.files import read_bytes, reason

KEYS = "keys.json"
LOCK = ".keys.lock"
MAX_KEYS_BYTES = 2**20
MAX_KEY = 4096
SHOWN = 6
"""So many of a key's first characters in a row are already too many to show."""
VARIABLES: dict[str, tuple[str, ...]] = {
    "openai": ("OPENAI_API_KEY",),
    "google": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "bfl": ("BFL_API_KEY",),
    "ark": ("ARK_API_KEY",),
    "xai": ("XAI_API_KEY",),
    "dashscope": ("DASHSCOPE_API_KEY",),
    "huggingface": ("HF_TOKEN",),
}


@dataclass(frozen=True)
class Secret:
    """value: the key itself. source: where it came from, which may be shown."""

    value: str = field(repr=False)
    source: str

    def __str__(self) -> str:
        return f"<key from {self.source}>"


def find(provider: str, environment: Mapping[str, str], folder: Path) -> Secret | None:
    """The key of a provider: the environment's first, then the file's. `InvalidRequest` for what can be no key."""
    for name in VARIABLES[provider]:
        if environment.get(name, "").strip():
            return checked(environment[name], name)
    kept = read(folder).get(provider)
    return checked(kept, str(folder / KEYS)) if isinstance(kept, str) else None


def checked(value: str, source: str) -> Secret:
    """Printable ASCII without blanks, or it could not travel in a header. The complaint never shows the value."""
    value = value.strip()
    if not value or len(value) > MAX_KEY or not value.isascii() or not value.isprintable() or " " in value:
        raise InvalidRequest(source, "does not hold a key: printable ASCII characters without blanks are needed")
    return Secret(value, source)


def keep(folder: Path, provider: str, value: str) -> None:
    """Write a provider's key into the file. Raises `FileProblem` where that fails."""
    secret = checked(value, "key")
    with _turn(folder):
        _write(folder, read(folder) | {_known(provider): secret.value})


def remove(folder: Path, provider: str) -> bool:
    """Take a provider's key out of the file; False if it had none."""
    with _turn(folder):
        kept = read(folder)
        if _known(provider) not in kept:
            return False
        _write(folder, {name: value for name, value in kept.items() if name != provider})
        return True


def read(folder: Path) -> dict[str, Any]:
    """What the file holds, nothing if there is none. Others' rights to it are taken away first."""
    path = folder / KEYS
    if not path.exists():
        return {}
    with contextlib.suppress(OSError):
        path.chmod(0o600)
    try:
        kept = json.loads(read_bytes(path, MAX_KEYS_BYTES))
    except (ValueError, RecursionError):
        kept = None
    if not isinstance(kept, dict):
        raise FileProblem(f"{path} is damaged: it is not a JSON object; move it away to begin a new one")
    return kept


def without(secret: Secret, text: str) -> str:
    """The text without the key: whole, encoded, or as a beginning or an end of it that gives it away."""
    value = secret.value
    raw = value.encode()
    forms = {
        value,
        quote(value, safe=""),
        raw.hex(),
        base64.b64encode(raw).decode().rstrip("="),
        json.dumps(value)[1:-1],
    }
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "***")
    if len(value) > 2 * SHOWN:
        # "sk-abcd****wxyz": what providers show of a wrong key.
        text = re.sub(re.escape(value[:SHOWN]) + r"[\w*.\-]*", "***", text)
        text = re.sub(r"[\w*.\-]*" + re.escape(value[-SHOWN:]), "***", text)
    return text


def _known(provider: str) -> str:
    if provider not in VARIABLES:
        raise InvalidRequest("provider", f"{provider!r} is not known (allowed: {', '.join(VARIABLES)})")
    return provider


def _write(folder: Path, kept: dict[str, Any]) -> None:
    """Whole or not at all, and never readable by others, not even for an instant: mkstemp makes 0600."""
    path = folder / KEYS
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{KEYS}.", suffix=".part", dir=folder)
        temporary = Path(name)
        with open(handle, "wb") as file:
            file.write(json.dumps(kept, indent=2).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise FileProblem(f"cannot write {path}: {reason(error)}") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _turn(folder: Path) -> Generator[None]:
    """One writer at a time, where the system has locks for files. The lock dies with its process."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise FileProblem(f"cannot write in {folder}: {reason(error)}") from error
    try:
        with contextlib.suppress(ImportError):
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
