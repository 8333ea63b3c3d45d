"""Pages of the documentation whose figures a measurement writes: between two marks, and nothing else of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from triptych.core.errors import FileProblem
from triptych.core.files import reason, write_atomically

END = "<!-- end of figures -->"


@dataclass(frozen=True)
class Page:
    """path: within the repository. command: the `triptych bench` that writes it."""

    path: str
    command: str

    @property
    def begin(self) -> str:
        return f"<!-- figures: written by `triptych bench {self.command} --write` -->"

    def check(self) -> None:
        """Raise `FileProblem` unless the page is here with a place for figures: before hours of measuring."""
        if self.begin not in self._text():
            raise FileProblem(f"{self.path} has no place for figures; run this in the repository")

    def write(self, lines: Sequence[str]) -> Path:
        """Put these lines in the place of the figures."""
        before, _, rest = self._text().partition(self.begin)
        text = before + self.begin + "\n\n" + "\n".join(lines) + "\n\n" + END + rest.partition(END)[2]
        return write_atomically(Path(self.path), text.encode())

    def _text(self) -> str:
        try:
            return Path(self.path).read_text(encoding="utf-8")
        except OSError as error:
            raise FileProblem(f"cannot read {self.path}: {reason(error)}; run this in the repository") from error


def row(cells: Sequence[str]) -> str:
    """A line of a table."""
    return "| " + " | ".join(cells) + " |"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    return [row(head), row(["---"] * len(head)), *map(row, rows)]
