"""Results of a long measurement, a line of JSON for each, so that what is killed goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from triptych.core.errors import FileProblem
from triptych.core.files import reason


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of an earlier run, none if there was none; half a line at the end is what a kill leaves."""
    lines: list[dict[str, Any]] = []
    if not path.exists():
        return lines
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            lines.append(line)
    return lines


def append_lines(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    """Add lines, after a line break if the last one was cut. Raises `FileProblem` where that fails."""
    try:
        with open(path, "ab+") as file:
            if file.tell():
                file.seek(-1, 2)
                if file.read(1) != b"\n":
                    file.write(b"\n")
            file.write("".join(json.dumps(line) + "\n" for line in lines).encode())
    except OSError as error:
        raise FileProblem(f"cannot write {path}: {reason(error)}") from error
