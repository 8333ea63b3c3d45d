"""Mutated checkpoints: 20,000 in the whole programme (`make check-reliability`), some hundreds here.

Nothing but `FileProblem` ever comes out, nothing in a file runs, each takes less than two seconds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .mutations import Mutations, loads_again
from .test_bad_checkpoints import running

COUNT = 20_000 if os.environ.get("TRIPTYCH_RELIABILITY") == "full" else 300


def test_mutated_checkpoints(
    checkpoint: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mutations = Mutations(checkpoint("sd1"), tmp_path / "bad", seed=1)
    loads_again(mutations.folder)
    mutations.run(50)  # what is imported at the first error of a kind, is imported
    with running() as ran:
        mutations.run(COUNT)
    assert ran == []
    assert mutations.longest < 2.0
    assert mutations.outcomes["refused"] > mutations.outcomes["harmless"] > 0
    loads_again(mutations.folder)
    with capsys.disabled():
        figures = ", ".join(f"{number} {what}" for what, number in mutations.outcomes.items())
        sys.stdout.write(f"\nmutated checkpoints: {figures}; 0 ran code; the slowest took {mutations.longest:.2f} s\n")
