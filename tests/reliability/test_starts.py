"""Two that start at once in one folder: one owns it, the other is told so, quickly."""

from __future__ import annotations

import json
from pathlib import Path

from . import owner
from .ledger import FORK, intact
from .programme import scale, tell

STARTS = scale(10, 100)


def test_of_two_that_start_together_one_owns_the_folder(tmp_path: Path) -> None:
    slowest = 0.0
    for number in range(STARTS):
        # A new folder every other time, so that they also race for the first migration.
        folder = tmp_path / str(number // 2)
        gate = FORK.Barrier(2)
        pipes, processes = [], []
        for _ in range(2):
            ours, theirs = FORK.Pipe()
            process = FORK.Process(daemon=True, target=owner.start_once, args=(folder, gate, theirs))
            process.start()
            theirs.close()
            pipes.append(ours)
            processes.append(process)
        said = [json.loads(pipe.recv_bytes()) for pipe in pipes]
        assert sorted(one["owner"] for one in said) == [False, True]
        assert all(one["owner"] or "uses the data folder" in one["said"] for one in said)
        slowest = max(slowest, *(one["seconds"] for one in said if not one["owner"]))
        for pipe, one in zip(pipes, said, strict=True):
            if one["owner"]:
                pipe.send_bytes(b"{}")
        for process in processes:
            process.join()
            assert process.exitcode == 0
        intact(folder)
    assert slowest < 5
    tell("double starts", starts=STARTS, winners=STARTS, slowest_refusal_in_ms=round(slowest * 1000))
