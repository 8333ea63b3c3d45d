"""The pool: a cut build goes on where it stopped, and grows without losing what is there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from triptych.core.errors import FileProblem
from triptych.core.plan import Plan, PlanObject
from triptych.training import pool
from triptych.training.data import Example


class Numbers:
    """Pictures whose every pixel is their number; counts how often it was asked."""

    name = "numbers"

    def __init__(self) -> None:
        self.asked: list[int] = []

    def example(self, index: int) -> Example:
        self.asked.append(index)
        plan = Plan(objects=(PlanObject(noun="circle", box=(0.1, 0.1, 0.5, 0.5)),)) if index % 2 else None
        return Example(np.full((8, 8, 3), index, np.uint8), (f"number {index}", str(index)), plan)

    def words_only(self, index: int) -> tuple[str, Plan | None]:
        return str(index), None


def latents(pictures: Tensor) -> Tensor:
    return (pictures[:, :1, ::4, ::4] + 1) * 127.5


def cut_after(calls: int) -> Callable[[Tensor], Tensor]:
    left = [calls]

    def encode(pictures: Tensor) -> Tensor:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return latents(pictures)

    return encode


def quiet(line: str) -> None:
    pass


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "CHUNK", 4)


def assert_complete(made: pool.Pool, count: int) -> None:
    assert len(made) == count
    assert made.targets.shape == (count, 1, 2, 2)
    assert made.targets.dtype == np.float16
    for item in range(count):
        assert (np.asarray(made.targets[item], np.float32).round() == item).all()
        assert made.captions(item) == [f"number {item}", str(item)]
        assert (made.plan(item) is None) == (item % 2 == 0)


def test_build_and_read(tmp_path: Path) -> None:
    made = pool.build(tmp_path / "pool", Numbers(), 10, latents, quiet)
    assert_complete(made, 10)
    plan = made.plan(1)
    assert plan is not None
    assert plan == Numbers().example(1).plan


def test_codes_stay_whole_numbers(tmp_path: Path) -> None:
    made = pool.build(tmp_path / "pool", Numbers(), 6, lambda x: torch.full((len(x), 2, 2), 70_000), quiet)
    assert made.targets.dtype == np.int32
    assert int(made.targets[5, 0, 0]) == 70_000


def test_a_cut_build_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        pool.build(tmp_path / "pool", Numbers(), 10, cut_after(3), quiet)  # one to learn the shape, two chunks
    with (tmp_path / "pool" / "words.jsonl").open("a") as file:
        file.write('{"captions": ["half a li')  # as a kill leaves it
    source = Numbers()
    assert_complete(pool.build(tmp_path / "pool", source, 10, latents, quiet), 10)
    assert source.asked == [0, 8, 9]


def test_growing_keeps_what_is_encoded_and_survives_a_cut(tmp_path: Path) -> None:
    folder = tmp_path / "pool"
    pool.build(folder, Numbers(), 6, latents, quiet)
    with pytest.raises(KeyboardInterrupt):
        pool.build(folder, Numbers(), 16, cut_after(1), quiet)
    assert json.loads((folder / "done.json").read_text()) == {"count": 6}
    source = Numbers()
    assert_complete(pool.build(folder, source, 16, latents, quiet), 16)
    assert source.asked == [0, *range(6, 16)]
    assert not list(folder.glob("*.tmp"))


def test_a_complete_pool_is_not_touched(tmp_path: Path) -> None:
    pool.build(tmp_path / "pool", Numbers(), 6, latents, quiet)
    source = Numbers()
    pool.build(tmp_path / "pool", source, 6, cut_after(0), quiet)
    assert source.asked == []


def test_workers_make_the_same_pool(tmp_path: Path) -> None:
    assert_complete(pool.build(tmp_path / "pool", Numbers(), 10, latents, quiet, workers=1), 10)


def test_too_little_disk_is_told_before_work_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(FileProblem, match="GB are free"):
        pool.build(tmp_path / "pool", Numbers(), 10, latents, quiet)
