"""The stages that train control adapters: they learn, leave the painter alone, resume exactly, export what loads."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from triptych.adapters.control import KINDS
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.registry import Card
from triptych.families import loading
from triptych.scenes.draw import Draw
from triptych.training import checkpoint
from triptych.training.presets import WorldConfig
from triptych.training.stages import run
from triptych.training.stages.control import NO_PLAN, NONE, ControlStage, moved, open_part
from triptych.training.stages.run import Workshop

WORLD = WorldConfig("shapes", 64, 8)
PAINTERS = ("flow", "diffusion")


@pytest.fixture(scope="module")
def shop(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    out = tmp_path_factory.mktemp("control")
    shutil.copytree(tiny_folder.parent / "tiny", out / "tiny")
    return Workshop("tiny", WORLD, "scenes", out, None, lambda line: None)


def weights(module: torch.nn.Module) -> str:
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in module.state_dict().values())).hexdigest()


def loss(stage: ControlStage, batch: Any) -> torch.Tensor:
    return stage.loss(batch, torch.Generator().manual_seed(5), torch.device("cpu"))[0]


@pytest.mark.parametrize("painter", PAINTERS)
def test_the_adapter_learns_and_the_painter_stays_as_it_was(shop: Workshop, painter: str) -> None:
    stage: Any = shop.stage(f"{painter}-control")
    before = weights(stage.family.network), weights(stage.family.plan_input), weights(stage.words.encoder)
    optimizer = torch.optim.AdamW(stage.module.parameters(), lr=3e-3)
    batch = stage.batch(0, 8)
    first = float(loss(stage, batch).detach())
    for _ in range(30):
        optimizer.zero_grad()
        loss(stage, batch).backward()
        optimizer.step()
    assert float(loss(stage, batch).detach()) < first - 0.01
    assert (weights(stage.family.network), weights(stage.family.plan_input), weights(stage.words.encoder)) == before


def test_a_batch_holds_maps_of_all_kinds_and_plans_that_are_missing_moved_or_true(shop: Workshop) -> None:
    stage: Any = shop.stage("flow-control")
    batch = stage.batch(0, 300)
    first, second = batch["kinds"].unbind(1)
    assert set(first.tolist()) == set(range(len(KINDS)))
    assert 0.05 < float((second != NONE).float().mean()) < 0.3
    assert not batch["maps"][second == NONE, 1].any()
    without = ~batch["raster"]["noun"].flatten(1).any(dim=1)
    assert abs(float(without.float().mean()) - NO_PLAN) < 0.12


def test_two_maps_of_a_picture_add_up(shop: Workshop) -> None:
    stage: Any = shop.stage("flow-control")
    batch = stage.batch(0, 64)
    two = (batch["kinds"][:, 1] != NONE).nonzero().flatten()
    both = stage._features(batch["maps"], batch["kinds"])
    assert len(two)
    nothing = torch.full((len(two), 1), NONE)
    alone = [
        stage._features(batch["maps"][two][:, [k, k]], torch.cat((batch["kinds"][two][:, [k]], nothing), dim=1))
        for k in (0, 1)
    ]
    for c, a, b in zip(both, *alone, strict=True):
        assert torch.allclose(c[two], a + b, atol=1e-5)


def test_a_moved_plan_has_the_same_things_elsewhere(shop: Workshop) -> None:
    plan = shop.pool("latents").plan(0)
    assert plan is not None
    other = moved(plan, Draw(1, 2, 3))
    assert [thing.noun for thing in other.objects] == [thing.noun for thing in plan.objects]
    for a, b in zip(plan.objects, other.objects, strict=True):
        assert b.box[2] - b.box[0] == pytest.approx(a.box[2] - a.box[0])
        assert b.box[0] >= 0
        assert b.box[2] <= 1.0001
        assert a.box != b.box


def test_open_parts_are_of_every_kind() -> None:
    boxes = [(0.2, 0.2, 0.6, 0.6)]
    masks = [open_part(boxes, 64, Draw(9, i, 0)) for i in range(200)]
    shares = np.array([mask.mean() / 255 for mask in masks])
    assert all(set(np.unique(mask).tolist()) <= {0, 255} for mask in masks)
    assert (shares == 1).any(), "everything"
    assert ((shares > 0.6) & (shares < 1)).any(), "all but a part"
    assert ((shares > 0) & (shares < 0.3)).any(), "a part"
    assert any(mask[13:38, 13:38].all() and not mask[:2].any() for mask in masks), "a thing"


@pytest.mark.parametrize("painter", PAINTERS)
def test_resuming_is_exact_and_what_is_exported_is_loaded(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, painter: str
) -> None:
    monkeypatch.setattr("triptych.training.stages.control.HELD_BACK", 4)
    name = f"{painter}-control"
    for part in ("whole", "parted"):
        (tmp_path / part).mkdir()
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
    family = loading.load(painter, base, tmp_path / "whole" / "tiny" / painter / "model", parts)
    adapter = loading.load_control(card, folder, family.control_points())
    assert adapter.kinds == KINDS
    assert not any(parameter.requires_grad for parameter in adapter.parameters())


def test_pictures_without_maps_are_refused(tiny_folder: Path, tmp_path: Path) -> None:
    shop = Workshop("tiny", WORLD, str(tmp_path), tiny_folder.parent, None, lambda line: None)
    with pytest.raises(InvalidRequest, match="pictures without maps; control adapters need `scenes`"):
        shop.stage("flow-control")


def test_a_card_that_fits_no_adapter_is_a_sentence(tiny_folder: Path) -> None:
    card = Card.read(tiny_folder / "flow-control").model_copy(update={"config": {"width": 16}})
    with pytest.raises(FileProblem, match="does not fit: 'rank' is missing"):
        loading.load_control(card, tiny_folder / "flow-control", ())
