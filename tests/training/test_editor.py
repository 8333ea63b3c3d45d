"""The stage that learns to read instructions: what its rows hold, and that it learns them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from triptych.families.loading import Parts
from triptych.planning.edit_tokens import OPS, PAD, UNKNOWN
from triptych.scenes.draw import Draw
from triptych.training.stages.editor import SIZES, VAGUE, EditorStage, _partly_hidden


@pytest.fixture
def stage() -> EditorStage:
    torch.manual_seed(0)
    return EditorStage(SIZES["tiny"], 0, 1_000_003)


def test_rows_begin_with_an_operation_and_know_their_words(stage: EditorStage) -> None:
    batch = stage.batch(0, 40)
    first = {stage.tokens.names[i] for i in batch["symbols"][:, 0].tolist()}
    assert first <= {f"op:{op}" for op in OPS}
    assert {"op:done", "op:recolour", "op:add"} <= first
    unknown = (batch["words"] == stage.tokens.ids[UNKNOWN]).sum(1)
    assert 0 < int((unknown > 0).sum()) < 20
    assert stage.weight(batch) == int((batch["symbols"] != stage.tokens.ids[PAD]).sum())


def test_only_words_that_mean_little_are_hidden() -> None:
    names = ("make", "the", "fox", "blue")
    seen = {_partly_hidden(names, Draw(0, index)) for index in range(300)}
    assert names in seen
    assert (UNKNOWN, "the", "fox", "blue") in seen
    assert all({"fox", "blue"} <= set(each) for each in seen)
    assert not VAGUE & {"remove", "move", "bigger", "left", "swap", "keep"}


def test_pairs_that_are_checked_are_never_learned_from(stage: EditorStage) -> None:
    assert stage.pair(3) != stage.pair(3, seed=stage.checked)


def test_the_loss_falls_and_the_exported_model_is_the_one_that_was_trained(stage: EditorStage, tmp_path: Path) -> None:
    optimizer = torch.optim.AdamW(stage.module.parameters(), lr=3e-3)
    losses = []
    for step in range(30):
        loss, _ = stage.loss(stage.batch(step, 32), torch.Generator(), torch.device("cpu"))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-5:]) < 0.75 * sum(losses[:5])
    stage.export(tmp_path / "editor", {"samples": 960})
    editor, tokens = Parts(lambda part: tmp_path / part).editor()
    assert tokens.names == stage.tokens.names
    for name, tensor in stage.module.state_dict().items():
        scale = float(tensor.abs().max()) + 1e-9
        assert float((editor.state_dict()[name] - tensor).abs().max()) < 0.006 * scale, name


def test_the_sheet_shows_plans_before_and_after(stage: EditorStage, tmp_path: Path, monkeypatch: object) -> None:
    from triptych.training.stages import editor

    monkeypatch.setattr(editor, "CHECKED", 6)  # type: ignore[attr-defined]
    stage.module.eval()
    figures = stage.sheet(tmp_path / "sheet.png")
    assert set(figures) == {"right_train", "right_phrasing", "right_combination"}
    assert (tmp_path / "sheet.png").stat().st_size > 5_000
