"""Between values and what the columns of text hold: JSON, and words to search for."""

from __future__ import annotations

import json
import re
from typing import Any

from triptych.core.errors import InvalidRequest

MAX_WORDS = 8000
_WORD = re.compile(r"\w+")


def dumps(value: Any) -> str:
    """One line of JSON in ASCII: no character of a prompt can be one that a database refuses."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def payload_text(payload: dict[str, Any]) -> str:
    """The payload as JSON; `InvalidRequest` for what JSON cannot hold."""
    try:
        return dumps(payload)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest("payload", f"is not JSON: {error}") from None


def searchable(text: str) -> str:
    """What full-text search may read of `text`: no NUL and no broken surrogates, which PostgreSQL refuses."""
    return text[:MAX_WORDS].encode("utf-8", "replace").decode().replace("\0", " ")


def terms(words: str) -> list[str]:
    """What a person searches for, divided by blanks. Within a term, what is no letter, digit or underscore divides
    words that must follow each other; a term of nothing else is no term."""
    phrases = (" ".join(_WORD.findall(term)) for term in searchable(words).lower().split())
    return [phrase for phrase in phrases if phrase]
