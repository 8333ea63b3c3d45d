"""What a stage's batches hold: pure functions of the step, cut into rows, with words and plans dropped as told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from triptych.core.errors import FileProblem, InvalidRequest
from triptych.training.data import FolderSource
from triptych.training.presets import STAGES, WorldConfig
from triptych.training.stages import run
from triptych.training.stages.painter import shuffled_items
from triptych.training.stages.run import Workshop
from triptych.training.stages.text import TextStage, retrieval_sheet

WORLD = WorldConfig("shapes", 64, 8)
Make = Callable[[str], Any]


@pytest.fixture(scope="module")
def make(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    out = tmp_path_factory.mktemp("stages")
    shutil.copytree(tiny_folder.parent / "tiny", out / "tiny")
    shop = Workshop("tiny", WORLD, "scenes", out, None, lambda line: None)
    return cache(shop.stage)


def flat(batch: Any) -> list[Tensor]:
    if isinstance(batch, Tensor):
        return [batch]
    return [tensor for value in batch.values() for tensor in flat(value)]


def same(first: Any, second: Any) -> bool:
    return all(torch.equal(a, b) for a, b in zip(flat(first), flat(second), strict=True))


@pytest.mark.parametrize("stage", STAGES)
def test_a_batch_is_a_pure_function_of_its_step(make: Make, stage: str) -> None:
    batch = make(stage).batch(3, 4)
    assert same(batch, make(stage).batch(3, 4))
    assert not same(batch, make(stage).batch(4, 4))
    assert all(len(tensor) == 4 for tensor in flat(batch))


@pytest.mark.parametrize("stage", STAGES)
def test_rows_of_a_batch_are_those_of_the_whole(make: Make, stage: str) -> None:
    whole = make(stage).batch(2, 6)
    for rows in (range(3), range(3, 6)):
        for part, tensor in zip(flat(make(stage).batch(2, 6, rows)), flat(whole), strict=True):
            assert torch.equal(part, tensor[rows.start : rows.stop])


def test_the_planner_counts_tokens_and_the_others_pictures(make: Make) -> None:
    batch = make("planner").batch(0, 4)
    tokens = make("planner").weight(batch)
    assert 4 < tokens < batch["plan_ids"].numel()
    assert make("flow").weight(make("flow").batch(0, 4)) == 4
    assert make("autoencoder").weight(make("autoencoder").batch(0, 4)) == 4


def test_words_and_plans_are_dropped_as_often_as_told(make: Make) -> None:
    stage = make("flow")
    empty = torch.tensor(stage.words.tokenizer.encode("", stage.words.encoder.config.length).ids)
    batches = [stage.batch(step, 64) for step in range(16)]
    no_words = torch.cat([(batch["ids"] == empty).all(1) for batch in batches])
    no_plan = torch.cat([(batch["raster"]["scene"] == 0).all(1) for batch in batches])
    n = len(no_words)
    for share, told in (
        ((no_words & ~no_plan).sum() / n, stage.dropout.words),
        ((no_plan & ~no_words).sum() / n, stage.dropout.plan),
        ((no_words & no_plan).sum() / n, stage.dropout.both),
    ):
        assert abs(float(share) - told) < 4 * (told * (1 - told) / n) ** 0.5  # four standard deviations


def test_an_epoch_meets_every_picture_once_in_another_order_each_time(make: Make) -> None:
    stage = make("flow")

    def items(step: int) -> list[int]:
        return shuffled_items(len(stage.pool), step, 4)

    epochs = [items(2 * epoch) + items(2 * epoch + 1) for epoch in range(3)]
    assert all(sorted(epoch) == list(range(8)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


# A folder of captioned pictures


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    colours = {"red": (255, 0, 0), "green": (0, 160, 0), "blue": (0, 0, 255), "white": (250, 250, 250)}
    for name, colour in colours.items():
        Image.new("RGB", (80, 64), colour).save(folder / f"{name}.png")
        (folder / f"{name}.txt").write_text(f"a {name} circle")
    return folder


def test_folder_trains_the_text_stage_contrastively(pictures: Path, tmp_path: Path) -> None:
    record = run("text", "tiny", data=str(pictures), out=tmp_path, samples=16)
    assert record["loss"] == pytest.approx(record["clip"])
    assert "plan" not in record
    assert 0 <= record["picks_caption"] <= 1
    assert (tmp_path / "tiny" / "text" / "model" / "card.json").exists()
    assert not (tmp_path / "tiny" / "text" / "planner").exists()  # it has learned nothing
    assert list((tmp_path / "tiny" / "text" / "sheets").glob("*.png"))


def test_folder_trains_a_painter_without_plans(pictures: Path, tiny_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_folder.parent / "tiny", tmp_path / "tiny")
    shop = Workshop("tiny", WORLD, str(pictures), tmp_path, None, lambda line: None)
    stage: Any = shop.stage("flow")
    batch = stage.batch(0, 8)
    assert not batch["raster"]["scene"].any()
    assert stage.card.capabilities.nouns == ()  # what it learned is not the world of the scenes
    loss, _ = stage.loss(batch, torch.Generator().manual_seed(0), torch.device("cpu"))
    loss.backward()
    assert torch.isfinite(loss)
    stage.sheet(tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.height < 250  # one row for four captions: without plans there is no second half
    assert len(stage.pool) == 4


def test_the_planner_refuses_a_folder(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="the planner learns from `scenes` only"):
        run("planner", "tiny", data=str(pictures), out=tmp_path)


def test_a_damaged_picture_ends_the_run_in_one_sentence(pictures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    shutil.copytree(pictures, folder)
    (folder / "red.png").write_bytes(b"no picture")
    shop = Workshop("tiny", WORLD, str(folder), tmp_path, None, lambda line: None)
    with pytest.raises(FileProblem, match=r"red\.png is not a readable picture") as caught:
        shop.stage("autoencoder")
    assert "Traceback" not in str(caught.value)


def test_retrieval_is_counted(make: Make, pictures: Path, tmp_path: Path) -> None:
    stage: TextStage = make("text")

    class Reads(torch.nn.Module):
        """Tells captions apart by the mean colour of the pictures that they belong to."""

        config = stage.module["encoder"].config  # type: ignore[union-attr, index]

        def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
            means = [FolderSource(pictures, 64).example(i).pixels.reshape(-1, 3).mean(0) for i in range(len(ids))]
            looks = torch.tensor([[*mean] for mean in means]) / 127.5 - 1
            return ids, torch.nn.functional.normalize(looks.float() + 0.01, dim=-1)

    class Looks(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.anchor = torch.nn.Parameter(torch.zeros(1))

        def forward(self, pictures: Tensor) -> Tensor:
            return torch.nn.functional.normalize(pictures.mean((2, 3)) + 0.01, dim=-1)

    source = FolderSource(pictures, 64)
    figures = retrieval_sheet(Reads(), Looks(), stage.tokenizer, source, tmp_path / "x.png")  # type: ignore[arg-type]
    assert figures == {"picks_caption": 1.0}
