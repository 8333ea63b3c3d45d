"""The stages that teach painters to look at references: they learn, leave the painter alone, resume exactly, draw their
sheet beside a painter that took no references so far, and export what loads.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from triptych.adapters.reference import ROLES
from triptych.core.errors import InvalidRequest
from triptych.core.registry import Card
from triptych.families import loading
from triptych.training import checkpoint
from triptych.training.presets import WorldConfig
from triptych.training.stages import reference, run
from triptych.training.stages.run import Workshop

WORLD = WorldConfig("shapes", 64, 24)
PAINTERS = ("flow", "tokens")


@pytest.fixture(scope="module")
def shop(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A workshop whose painters are as their own stages leave them: they take no references."""
    out = tmp_path_factory.mktemp("reference")
    shutil.copytree(tiny_folder.parent / "tiny", out / "tiny")
    for painter in PAINTERS:
        folder = out / "tiny" / painter / "model"
        card = Card.read(folder)
        assert card.capabilities is not None
        none = card.capabilities.model_copy(update={"reference_roles": (), "max_references": 0})
        (folder / "card.json").write_text(card.model_copy(update={"capabilities": none}).model_dump_json())
    return Workshop("tiny", WORLD, "scenes", out, None, lambda line: None)


def loss(stage: reference.ReferenceStage, batch: Any) -> torch.Tensor:
    return stage.loss(batch, torch.Generator().manual_seed(5), torch.device("cpu"))[0]


@pytest.mark.parametrize("painter", PAINTERS)
def test_it_learns_from_references_and_the_painter_stays_as_it_was(shop: Workshop, painter: str) -> None:
    stage: Any = shop.stage(f"{painter}-reference")
    frozen = [*stage.family.network.parameters(), *stage.words.encoder.parameters()]
    before = [parameter.clone() for parameter in frozen]
    optimizer = torch.optim.AdamW(stage.module.parameters(), lr=3e-3)
    batch = stage.batch(0, 8)
    first = float(loss(stage, batch).detach())
    for _ in range(30):
        optimizer.zero_grad()
        loss(stage, batch).backward()
        optimizer.step()
    assert float(loss(stage, batch).detach()) < first - 0.01
    assert all(torch.equal(a, b) for a, b in zip(before, frozen, strict=True))


def test_rows_of_a_step_show_equally_many_references_under_numbers_of_their_own(shop: Workshop) -> None:
    stage: Any = shop.stage("flow-reference")
    shown = [stage.batch(step, 4)["references"].shape[1] for step in range(6)]
    assert shown == [1, 1, 2, 1, 1, 2]
    batch = stage.batch(2, 32)
    assert (batch["numbers"][:, 0] != batch["numbers"][:, 1]).all()
    assert int(batch["numbers"].min()) >= 1
    assert set(batch["roles"].flatten().tolist()) <= set(range(len(ROLES)))


@pytest.mark.parametrize("painter", PAINTERS)
def test_the_sheet_is_drawn_beside_a_painter_that_took_none(
    shop: Workshop, painter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "HELD_BACK", 4)
    stage: Any = shop.stage(f"{painter}-reference")
    figures = stage.sheet(tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").exists()
    assert set(figures) == {"loss_own", "loss_other", "loss_none"}
    assert all(value > 0 for value in figures.values())


@pytest.mark.parametrize("painter", PAINTERS)
def test_resuming_is_exact_and_what_is_exported_is_loaded(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, painter: str
) -> None:
    monkeypatch.setattr(reference, "HELD_BACK", 4)
    name = f"{painter}-reference"
    for part in ("whole", "parted"):
        shutil.copytree(tiny_folder.parent / "tiny", tmp_path / part / "tiny")
    run(name, "tiny", out=tmp_path / "whole", samples=32)
    run(name, "tiny", out=tmp_path / "parted", samples=32, max_seconds=0.01)
    run(name, "tiny", out=tmp_path / "parted", samples=32, resume=True)
    whole, parted = (
        checkpoint.load(tmp_path / part / "tiny" / name / "checkpoint.pt")["module"] for part in ("whole", "parted")
    )
    assert all(torch.equal(whole[key], parted[key]) for key in whole)
    folder = tmp_path / "whole" / "tiny" / name / "model"
    card = Card.read(folder)
    base = Card.read(tmp_path / "whole" / "tiny" / painter / "model")
    assert card.config["base_sha256"] == base.files["model.safetensors"].sha256
    assert card.training.samples == 32
    parts = loading.Parts(lambda part: tmp_path / "whole" / "tiny" / part / "model")
    family: Any = loading.load(painter, base, tmp_path / "whole" / "tiny" / painter / "model", parts)
    adapter = loading.load_reference(card, folder, family.reference_layers())
    assert not any(parameter.requires_grad for parameter in adapter.parameters())


def test_pictures_without_series_are_refused(tiny_folder: Path, tmp_path: Path) -> None:
    shop = Workshop("tiny", WORLD, str(tmp_path), tiny_folder.parent, None, lambda line: None)
    with pytest.raises(InvalidRequest, match="references need `scenes`"):
        shop.stage("flow-reference")
