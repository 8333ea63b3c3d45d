"""The log as curves: resumed runs, smoothing, and no matplotlib."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from triptych.core.errors import FileProblem
from triptych.training.journal import Journal, clock, progress
from triptych.training.plot import curves, draw_log, read_log, smoothed


def record(step: int, **figures: float) -> dict[str, Any]:
    return {"time": 0.0, "step": step, "samples": step * 8, **figures}


def write(path: Path, records: list[dict[str, Any]], tail: str = "") -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in records) + tail)
    return path


def test_steps_taken_again_replace_those_of_before_the_kill(tmp_path: Path) -> None:
    old = [record(50, loss=3), record(100, loss=2), record(100, psnr=9), record(150, loss=1)]
    log = write(tmp_path / "log.jsonl", [*old, record(100, loss=2.5), record(150, loss=1.5)], '{"step": 20')
    assert [(each["step"], each.get("loss")) for each in read_log(log)] == [(50, 3), (100, 2.5), (150, 1.5)]


def test_curves_part_what_is_logged_from_what_is_measured() -> None:
    training, measured = curves([
        record(50, loss=2.0, l1=0.5, rate=1.0, gflops=3.0),
        record(50, validation_psnr=30.0),
        {**record(60), "skipped": "loss nan"},
        {**record(100, l1=0.4), "loss": None},
    ])  # fmt: skip
    assert training == {"loss": ([400], [2.0]), "l1": ([400, 800], [0.5, 0.4])}
    assert measured == {"validation_psnr": ([400], [30.0])}


def test_smoothing_keeps_a_constant_and_calms_noise() -> None:
    assert smoothed([2.0] * 10) == pytest.approx([2.0] * 10)
    noisy = smoothed([0.0, 1.0] * 200)
    assert max(noisy[100:]) - min(noisy[100:]) < 0.1


def test_curves_are_drawn_to_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    records = [record(50 * i, loss=100 / i**2, l1=1 / i) for i in range(1, 12)] + [record(550, psnr=20.0)]
    draw_log(write(tmp_path / "log.jsonl", records), tmp_path / "loss.png", "flow, tiny preset")
    with Image.open(tmp_path / "loss.png") as picture:
        assert picture.size[0] == 1200
        colours = picture.convert("RGB").getcolors(2**20)
        assert colours is not None
        assert len(colours) > 20
    draw_log(write(tmp_path / "empty.jsonl", []), tmp_path / "none.png", "")
    assert not (tmp_path / "none.png").exists()


def test_without_matplotlib_the_run_says_so_once_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    lines: list[str] = []
    journal = Journal(tmp_path, "flow", lines.append)
    journal.write(record(1, loss=1.0))
    journal.draw()
    journal.draw()
    assert len(lines) == 1
    assert "matplotlib" in lines[0]


def test_numbers_that_json_lacks_are_null(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "new", "flow", print)
    journal.write({"step": 1, "samples": 8, "loss": float("nan")})
    assert json.loads(journal.path.read_text())["loss"] is None


def test_time_is_added_up_over_resumptions(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "flow", print)
    assert journal.seconds() == 0
    for step, speed in ((50, 8.0), (100, 4.0), (100, 8.0), (150, 16.0)):  # the second was taken again
        journal.write({"step": step, "samples": step * 8, "samples_per_second": speed, "loss": 1.0})
    assert journal.seconds() == pytest.approx(50 + 50 + 25)


def test_a_closed_journal_writes_and_says_nothing(tmp_path: Path) -> None:
    lines: list[str] = []
    journal = Journal(tmp_path / "new", "flow", lines.append, is_open=False)
    journal.write({"step": 1})
    journal.say("hello")
    journal.draw()
    assert lines == []
    assert not (tmp_path / "new").exists()


def test_a_log_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileProblem, match=r"cannot write .*log\.jsonl"):
        Journal(tmp_path / "file", "flow", print).write({"step": 1})


def test_progress_is_one_readable_line() -> None:
    line = progress(
        {"step": 50, "samples": 3200, "samples_per_second": 32.14, "gflops": 1088.2, "share_of_peak": 0.413,
         "loss": 0.574069, "gradient_norm": 0.5, "rate": 1.0},
        steps=100, seconds_left=3725.0,
    )  # fmt: skip
    assert line == (
        "step 50/100  3,200 pictures  32.14/s  1,088 GFLOP/s, 41% of peak  loss 0.5741  gradient norm 0.5  rate 1  "
        "1:02:05 left"
    )
    assert clock(59.6) == "0:01:00"
