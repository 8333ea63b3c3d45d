"""The providers' keys: from the environment that is handed in, or from `keys.json` (0600) in the data folder.

A key is a `Secret`, which no `repr`, message or JSON shows. The file is shared with the server's token and whatever
else lies in it: only the names that are asked for are touched, by one writer at a time.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from triptych.core import keyfile
from triptych.core.errors import InvalidRequest
from triptych.core.keyfile import KEYS, read

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
    name, secret = _known(provider), checked(value, "key")
    keyfile.change(folder, lambda kept: kept | {name: secret.value})


def remove(folder: Path, provider: str) -> bool:
    """Take a provider's key out of the file; False if it had none."""
    name = _known(provider)
    had = name in read(folder)
    keyfile.change(folder, lambda kept: {one: value for one, value in kept.items() if one != name})
    return had


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
