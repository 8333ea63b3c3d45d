"""A real worker over the models of a folder: `python tiny_child.py FOLDER [SLOW] FD`.

SLOW: seconds added to every forward, so that a test can come in between.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from triptych.api import results
from triptych.core.family import Family
from triptych.core.registry import Registry
from triptych.core.state import State
from triptych.library import Library
from triptych.workers import child

torch.set_num_threads(1)


class SlowLibrary(Library):
    """Every forward takes a while more. A prompt "crash" ends the process, "nan" poisons a latent."""

    seconds = 0.0

    def family(self, name: str) -> Family:
        family: Any = super().family(name)
        if "slow" not in vars(family):
            family.slow, forward = True, family.forward

            def slow(states: Sequence[State]) -> list[Any]:
                time.sleep(self.seconds)
                if any(state.request.prompt == "crash" for state in states):
                    os.kill(os.getpid(), signal.SIGKILL)
                found = forward(states)
                bad = [state.request.prompt == "nan" for state in states]
                return [one * float("nan") if poisoned else one for one, poisoned in zip(found, bad, strict=True)]

            family.forward = slow
        return family


def main() -> None:
    folder, seconds, end = sys.argv[1:]
    library = SlowLibrary(Registry().add_folder(Path(folder)))
    library.seconds = float(seconds)
    results.library = lambda: library  # type: ignore[assignment]
    child.main([end])


if __name__ == "__main__":
    main()
