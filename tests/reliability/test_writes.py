"""The N-th write, sync, truncation, rename or removal fails, for every N: nothing half-written, and no restart."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .programme import FULL, tell

HERE = Path(__file__).parent

pytestmark = pytest.mark.compiler


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("failing") / "failing.so"
    compiler = shutil.which("gcc") or shutil.which("cc")
    assert compiler, "a C compiler is needed"
    flags = ["-O1", "-Wall", "-Werror", "-shared", "-fPIC"]
    subprocess.run(
        [compiler, *flags, "-o", library, HERE / "failing.c", "-ldl", "-lpthread"],
        check=True,
    )
    return library


@pytest.mark.timeout(1800)
def test_any_write_may_fail_and_the_next_job_works(failing: Path, quick: Path) -> None:
    found = _trials(failing, quick)
    for name, counts in found.items():
        refusals = sum(count for kind, count in counts.items() if kind not in ("rounds", "slowest"))
        # If nothing had been refused, nothing would have failed, and the test would say nothing.
        assert refusals > counts["rounds"] // 3, counts
        assert counts["slowest"] < 5
        slowest = round(counts.pop("slowest") * 1000)
        tell(f"N-th write fails, {name}", **counts, broken=0, slowest_next_submit_in_ms=slowest)


def _trials(failing: Path, folder: Path) -> dict[str, dict[str, Any]]:
    environment = os.environ | {"LD_PRELOAD": str(failing), "PYTHONPATH": str(HERE.parent), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "reliability.faulty", folder, "full" if FULL else "short"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)
