"""Result on stdout, everything else on stderr: notes, hints and, on a terminal only, a progress bar."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triptych.core.errors import InvalidRequest
from triptych.core.events import Event, Note, Stepped
from triptych.core.request import MAX_PROMPT

if TYPE_CHECKING:
    from collections.abc import Callable

STDIO = "-"


def show(line: object) -> None:
    """One line of result."""
    print(line, file=sys.stdout)  # noqa: T201


def show_json(data: Any) -> None:
    """The one JSON object of --json."""
    show(json.dumps(data, ensure_ascii=False, allow_nan=False))


def show_bytes(data: bytes) -> None:
    """A picture as the result, for `--out -`."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def tell(line: str, *, quiet: bool = False) -> None:
    """One line for the person at the terminal, never part of the result."""
    if not quiet:
        print(line, file=sys.stderr)  # noqa: T201


def tell_notes(notes: Sequence[Note], *, quiet: bool = False) -> None:
    for note in notes:
        tell(f"note  {note.parameter}: {note.text} ({note.action})", quiet=quiet)


def read_prompt(prompt: str) -> str:
    """The prompt as typed, or from stdin when it is `-`; one closing line break is not part of it."""
    if prompt != STDIO:
        return prompt
    text = sys.stdin.read(MAX_PROMPT + 2)
    return text.removesuffix("\n").removesuffix("\r")


def read_json(path: Path, parameter: str, limit: int) -> Any:
    """Decoded JSON of a file that a person names, or of stdin for `-`; `InvalidRequest` says what is wrong with it."""
    from triptych.core.files import read_bytes

    try:
        return json.loads(sys.stdin.read(limit) if str(path) == STDIO else read_bytes(path, limit))
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(parameter, f"{path} is not JSON: {error}") from None


@contextmanager
def progress(pictures: int, *, quiet: bool) -> Generator[Callable[[Event], None]]:
    """A bar over all steps of all pictures, on stderr, only on a terminal. Gives the function that takes the events."""
    if quiet or not sys.stderr.isatty():
        yield lambda event: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(compact=True)
    # NO_COLOR and the width of the terminal are rich's business.
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("loading the model", total=None)
        steps: dict[int, int] = {}

        def advance(event: Event) -> None:
            if isinstance(event, Stepped):
                steps[event.index] = event.step
                label = f"step {event.step}/{event.total}" if pictures == 1 else f"{pictures} pictures"
                bar.update(task, description=label, completed=sum(steps.values()), total=pictures * event.total)

        yield advance
