"""What a run tells about itself: `log.jsonl`, a line per record for the person who watches, and the curves.

Knows no stage and no tensor. Of several processes only the first one's journal is open.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from triptych.core.errors import FileProblem
from triptych.core.files import reason
from triptych.training.plot import draw_log, read_log


class Journal:
    """The records of one run in `folder`. `report` takes each line for a person; a closed journal does nothing."""

    def __init__(self, folder: Path, title: str, report: Callable[[str], None], *, is_open: bool = True) -> None:
        self.folder, self.title, self._report, self.is_open = folder, title, report, is_open
        self._draws = is_open

    @property
    def path(self) -> Path:
        return self.folder / "log.jsonl"

    def say(self, line: str) -> None:
        if self.is_open:
            self._report(line)

    def write(self, record: dict[str, Any]) -> None:
        """Append a record."""
        if not self.is_open:
            return
        line = json.dumps({"time": round(time.time(), 1), **finite(record)}, allow_nan=False)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise FileProblem(f"cannot write {self.path}: {reason(error)}") from error

    def seconds(self) -> float:
        """The time that training took so far, over all resumptions, without saving and drawing; from the log."""
        total, before = 0.0, 0
        for record in read_log(self.path):
            if record.get("samples_per_second"):
                total += (record["samples"] - before) / record["samples_per_second"]
                before = record["samples"]
        return total

    def draw(self) -> None:
        """Draw the curves so far to `loss.png`, or say once what is missing for that."""
        if not self._draws:
            return
        try:
            draw_log(self.path, self.folder / "loss.png", self.title)
        except ImportError:
            self.say("no curves: they need matplotlib (pip install 'triptych[train]')")
            self._draws = False
        except OSError as error:
            self.say(f"no curves: {error}")


def finite(record: dict[str, Any]) -> dict[str, Any]:
    """Numbers that are not finite become None: JSON has null, and no NaN."""
    return {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in record.items()}


def progress(record: dict[str, Any], steps: int, seconds_left: float) -> str:
    """One line: where the run is, how fast, how much of the device it uses, the loss and its parts."""
    shown = dict(record)
    words = [f"step {shown.pop('step')}/{steps}", f"{shown.pop('samples'):,} pictures"]
    words.append(f"{shown.pop('samples_per_second'):.4g}/s")
    if "gflops" in shown:
        words.append(f"{shown.pop('gflops'):,.0f} GFLOP/s, {shown.pop('share_of_peak'):.0%} of peak")
    words += [f"{name.replace('_', ' ')} {value:.4g}" for name, value in shown.items() if value is not None]
    return "  ".join([*words, f"{clock(seconds_left)} left"])


def clock(seconds: float) -> str:
    """Hours, minutes and seconds as 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
