"""The readers' stage: it learns, is resumed exactly, and exports what the readers' door opens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from triptych.core.errors import InvalidRequest
from triptych.evals.readers.load import Readers
from triptych.training import checkpoint
from triptych.training.stages import run
from triptych.training.stages.readers import ReadersStage
from triptych.training.stages.run import WORLDS, Workshop


def linked(tiny_folder: Path, out: Path) -> Path:
    """A work folder with the parts whose round trips are read."""
    (out / "tiny").mkdir(parents=True)
    for part in ("autoencoder", "tokenizer"):
        (out / "tiny" / part).symlink_to(tiny_folder.parent / "tiny" / part)
    return out


@pytest.fixture(scope="module")
def out(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = linked(tiny_folder, tmp_path_factory.mktemp("readers"))
    run("readers", "tiny", out=folder, samples=32)
    return folder


def test_what_is_exported_is_what_the_door_opens(out: Path) -> None:
    model = out / "tiny" / "readers" / "model"
    readers = Readers.load(model)
    card = json.loads((model / "card.json").read_text())
    assert card["config"]["size"] == 64
    assert {"sign", "face", "circle"} <= set(card["config"]["nouns"])
    assert "render.background" in card["scores"]
    assert "tokenizer.background" in card["scores"]
    assert readers.networks.config.widths == (8, 16, 16, 16)
    assert not any(parameter.requires_grad for parameter in readers.networks.parameters())


def test_stopping_and_resuming_equals_never_stopping(out: Path, tiny_folder: Path, tmp_path: Path) -> None:
    again = linked(tiny_folder, tmp_path / "again")
    stopped = run("readers", "tiny", out=again, samples=32, max_seconds=0.0)
    assert stopped["step"] == 1
    run("readers", "tiny", out=again, samples=32, resume=True)
    first, second = (checkpoint.load(each / "tiny" / "readers" / "checkpoint.pt") for each in (out, again))
    assert first["step"] == second["step"] == 4
    for name, tensor in first["module"].items():
        assert torch.equal(tensor, second["module"][name]), name


def test_a_few_steps_on_one_batch_bring_every_loss_down(tiny_folder: Path, tmp_path: Path) -> None:
    out = linked(tiny_folder, tmp_path / "learns")
    torch.manual_seed(0)
    stage = Workshop("tiny", WORLDS["tiny"], "scenes", out, None, lambda line: None).stage("readers")
    assert isinstance(stage, ReadersStage)
    batch = stage.batch(0, 8)
    optimizer = torch.optim.Adam(stage.module.parameters(), lr=3e-3)
    history = []
    for _ in range(30):
        loss, parts = stage.loss(batch, torch.Generator(), torch.device("cpu"))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(parts)
    for name in history[0]:
        assert history[-1][name] < 0.8 * history[0][name], name


def test_a_folder_of_pictures_is_refused(tmp_path: Path) -> None:
    from PIL import Image

    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGB", (64, 64), (200, 0, 0)).save(folder / "red.png")
    (folder / "red.txt").write_text("a red square")
    with pytest.raises(InvalidRequest, match="readers need `scenes`"):
        run("readers", "tiny", data=str(folder), out=tmp_path)
