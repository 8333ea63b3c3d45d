"""Figures into pages: the lines between two marks are replaced, everything else stays."""

from __future__ import annotations

from pathlib import Path

from triptych.core.errors import FileProblem
from triptych.core.files import write_atomically


def write_between(page: Path, begin: str, end: str, text: str) -> None:
    """Put `text` between the marks of a page; `FileProblem` if they are not there."""
    try:
        whole = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileProblem(f"{page} cannot be read: {error}") from None
    if begin not in whole or end not in whole.split(begin, 1)[1]:
        raise FileProblem(f"{page} has no place for the figures: the lines {begin!r} and {end!r}")
    before, rest = whole.split(begin, 1)
    after = rest.split(end, 1)[1]
    write_atomically(page, f"{before}{begin}\n{text}\n{end}{after}".encode())
