"""Lines of a long measurement: a kill costs the line that it cut, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from triptych.cli.lines import append_lines, read_lines
from triptych.core.errors import FileProblem


def test_what_was_cut_is_left_out_and_does_not_spoil_what_follows(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert read_lines(path) == []
    append_lines(path, [{"n": 1}, {"n": 2}])
    path.write_bytes(path.read_bytes()[:-4])
    append_lines(path, [{"n": 3}])
    assert read_lines(path) == [{"n": 1}, {"n": 3}]


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="cannot write"):
        append_lines(tmp_path / "gone" / "a.jsonl", [{"n": 1}])
