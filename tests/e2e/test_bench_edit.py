"""`triptych bench lock` and `triptych bench dial` over real, tiny models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from triptych.cli import main
from triptych.evals import dial, lock


@pytest.fixture(autouse=True)
def workplace(tiny_place: Path) -> Path:
    return tiny_place


def test_the_lock_holds_in_every_family_and_the_bench_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lock, "LARGEST", (300, 200))
    monkeypatch.setattr(lock, "_LOG_SIDES", (3.0, 4.5))
    assert main(["bench", "lock", "--masks", "3", "--steps", "1", "--out", "lock", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"flow", "diffusion", "tokens"}
    for found in told.values():
        assert (found["edits"], found["outside_changed_pixels"], found["failures"]) == (3, 0, [])
        assert found["largest"] == [300, 200]
        assert found["inside_changed_pixels"] > 0
    before = Path("lock/flow-1.jsonl").read_bytes()
    assert main(["bench", "lock", "--models", "flow", "--masks", "4", "--steps", "1", "--out", "lock"]) == 0
    after = Path("lock/flow-1.jsonl").read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == 4
    assert "4 edits, 0 of" in capsys.readouterr().out


@pytest.mark.font
def test_the_dial_is_measured_drawn_and_gone_on_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dial, "POSITIONS", (1.0, 0.5, 0.0, dial.FREE))
    call = ["bench", "dial", "--models", "flow", "--pictures", "2", "--out", "dial"]
    assert main(call) == 0
    told = capsys.readouterr()
    assert "flow, 2 pictures, quality low" in told.out
    assert "middle ground:" in told.out
    assert Path("dial/dial.png").stat().st_size > 1000
    lines = [json.loads(line) for line in Path("dial/flow-low.jsonl").read_text().splitlines()]
    assert [line["position"] for line in lines[:4]] == [1.0, 0.5, 0.0, dial.FREE]
    assert lines[0]["outside_mean"] == 0 < lines[1]["outside_mean"]
    assert main([*call, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["flow"]["positions"]["1"]["outside_share"] == [0, 0, 0]
    assert len(Path("dial/flow-low.jsonl").read_text().splitlines()) == 8
